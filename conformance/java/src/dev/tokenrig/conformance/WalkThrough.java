package dev.tokenrig.conformance;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.tokenrig.conformance.Suite.Case;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The walk-through "Authenticating using Workload Identity Federation to Cloud Run, Cloud Functions", by {@link Call}.
 *
 * <p>Its resources are {@code fixtures/seeds/000.given.yaml}. The client is a process of its own, as it would be for its
 * user.
 */
final class WalkThrough {
  /** One run of the client: the surface and check that say no and words that stderr must hold, or none of them. */
  private record Row(String name, String subject, String isadmin, String audience, String[] refused, String... words) {}

  private record Ended(int code, String stdout, String stderr) {}

  private static final String ALICE = "alice@domain.com";
  private static final List<Row> ROWS =
      List.of(
          new Row("the private service answers", ALICE, "true", null, null),
          new Row(
              "ID token for another audience",
              ALICE,
              "true",
              "https://billing.example.com",
              new String[] {"cloud-run-front", "audience"},
              "401",
              "Bearer error=\"invalid_token\""),
          new Row(
              "attribute condition not met",
              ALICE,
              "false",
              null,
              new String[] {"sts", "condition"},
              "unauthorized_client",
              "The given credential is rejected by the attribute condition."),
          new Row(
              "subject without the role",
              "bob@domain.com",
              "true",
              null,
              new String[] {"iamcredentials", "permission"},
              "PERMISSION_DENIED",
              "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource"));

  private final Stage stage;
  private final Provider provider;
  private final String service;

  private WalkThrough(Stage stage) throws IOException {
    this.stage = stage;
    provider = stage.provider("oidc-pool-run", "oidc-provider-1");
    service = stage.service("federated-auth-cloud-run");
  }

  private Ended run(Row row, String wire) throws Exception {
    Map<String, Object> claims = new HashMap<>();
    claims.put("name", row.subject.split("@")[0]);
    claims.put("isadmin", row.isadmin);
    claims.put("mygroups", List.of("group1", "group2"));
    claims.put("sub", row.subject);
    claims.put("email", row.subject);
    claims.put("email_verified", true);
    Path file = provider.file(stage.path("sts-creds.json"), stage.textFile(provider.token(claims)), null, Map.of());
    String audience = row.audience == null ? service : row.audience;
    return client(file, service + "/dump", stage.email("oidc-federated"), audience, wire);
  }

  /** Runs the client with credentials of this file. */
  private Ended client(Path credentials, String... args) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Call.class.getName()));
    command.addAll(List.of(args));
    Path stdout = stage.path("stdout");
    Path stderr = stage.path("stderr");
    ProcessBuilder process = new ProcessBuilder(command);
    process.environment().put("GOOGLE_APPLICATION_CREDENTIALS", credentials.toString());
    process.redirectOutput(stdout.toFile()).redirectError(stderr.toFile());
    int code = process.start().waitFor();
    return new Ended(code, Files.readString(stdout), Files.readString(stderr));
  }

  private void passes(Row row, String wire) throws Exception {
    stage.control.allows(
        "sts iamcredentials cloud-run-front",
        () -> {
          Ended ended = run(row, wire);
          Verdict.equal(ended.code, 0, "the exit code (" + ended.stderr + ")");
          JsonObject received = JsonParser.parseString(ended.stdout).getAsJsonObject();
          Verdict.equal(received.get("path").getAsString(), "/dump", "the path that the service saw");
          String authorization = received.getAsJsonObject("headers").get("authorization").getAsString();
          Verdict.need(authorization.endsWith("SIGNATURE_REMOVED_BY_GOOGLE"), "the service was shown the signature");
        });
  }

  private void fails(Row row, String wire) throws Exception {
    stage.control.refuses(
        row.refused[0],
        row.refused[1],
        () -> {
          Ended ended = run(row, wire);
          Verdict.equal(ended.code, 1, "the exit code (" + ended.stdout + ended.stderr + ")");
          for (String words : row.words) Verdict.holds(ended.stderr, words, "what the client says");
        });
  }

  static List<Case> cases(Stage stage) {
    List<Case> all = new ArrayList<>();
    WalkThrough walk;
    try {
      walk = new WalkThrough(stage);
    } catch (IOException fault) {
      throw new Verdict.Failed("the walk-through's resources cannot be read: " + fault);
    }
    all.add(
        new Case(
            Suite.AUTH,
            "no credentials",
            "nobody gets in without a token",
            () ->
                stage.control.refuses(
                    "cloud-run-front",
                    "credential",
                    () -> Verdict.equal(Http.get(walk.service, null).status(), 403, "the status"))));
    for (String wire : List.of("grpc", "rest")) {
      String path = wire.equals("grpc") ? "walk-through, gRPC" : "walk-through, REST";
      for (Row row : ROWS) {
        Verdict.Work trial = row.refused == null ? () -> walk.passes(row, wire) : () -> walk.fails(row, wire);
        all.add(new Case(Suite.IAM, path, row.name, trial));
      }
    }
    return all;
  }
}
