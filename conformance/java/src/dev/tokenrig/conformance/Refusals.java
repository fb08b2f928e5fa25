package dev.tokenrig.conformance;

import com.google.api.gax.rpc.ApiException;
import com.google.auth.Credentials;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.auth.oauth2.ImpersonatedCredentials;
import com.google.auth.oauth2.ServiceAccountCredentials;
import com.google.cloud.iam.credentials.v1.GenerateAccessTokenRequest;
import com.google.cloud.iam.credentials.v1.IamCredentialsClient;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.Duration;
import dev.tokenrig.conformance.Suite.Case;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Refusals by STS, IAM Credentials, oauth2 and Cloud Run, as the libraries tell them. */
final class Refusals {
  private interface Token {
    String make() throws Exception;
  }

  private static final String CONDITION = "The given credential is rejected by the attribute condition.";
  private static final String TARGET =
      "The target service indicated by the \"audience\" parameters is invalid. This might either be because the pool or "
          + "provider is disabled or deleted or because it doesn't exist.";
  private static final String NO_ACCESS_TOKEN =
      "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";
  private static final String NO_ID_TOKEN =
      "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource (or it may not exist).";
  private static final String CHALLENGE =
      "Bearer error=\"invalid_token\" error_description=\"The access token could not be verified\"";

  private final Stage stage;
  private final List<Case> all = new ArrayList<>();

  private Refusals(Stage stage) {
    this.stage = stage;
  }

  private void exchange(String name, String check, Token token, Provider trust, String words) {
    Verdict.Work trial =
        () -> {
          Map<String, ?> source = stage.textFile(token.make());
          Path file = trust.file(stage.path("credentials.json"), source, null, Map.of());
          GoogleCredentials credentials = stage.credentials(file);
          stage.control.refuses("sts", check, () -> Verdict.raises(credentials::refresh, "Error code " + words));
        };
    all.add(new Case(Suite.AUTH, "refused by STS", name, trial));
  }

  private void changed(String name, String check, Map<String, ?> claims, String words) {
    exchange(name, check, () -> stage.provider.token(claims), stage.provider, words);
  }

  private void bySts() {
    Provider known = stage.provider;
    changed("attribute condition not met", "condition", Map.of("branch", "topic"), "unauthorized_client: " + CONDITION);
    changed(
        "no subject",
        "mapping",
        Collections.singletonMap("sub", null),
        "unauthorized_client: Could not obtain a value for google.subject from the given credential.");
    changed(
        "other audience",
        "token-audience",
        Map.of("aud", "https://elsewhere.example"),
        "invalid_grant: The audience in ID Token [https://elsewhere.example] does not match the expected audience.");
    long issued = Instant.now().getEpochSecond() - 7200;
    changed(
        "expired subject token",
        "times",
        Map.of("iat", issued, "exp", issued + 3600),
        "invalid_grant: ID Token issued at " + issued + " is stale to sign-in.");
    exchange(
        "wrong key",
        "signature",
        () -> Provider.forged(known.token(Map.of())),
        known,
        "invalid_grant: Unable to verify the ID Token signature.");
    exchange(
        "disabled provider",
        "provider",
        () -> stage.closed.token(Map.of()),
        stage.closed,
        "invalid_target: " + TARGET);
    Provider unknown = new Provider(known.name() + "-2", known.issuer());
    exchange("unknown provider", "provider", () -> unknown.token(Map.of()), unknown, "invalid_target: " + TARGET);
  }

  /** generateAccessToken fails {@code check}. */
  private void refused(String wire, String check, Credentials credentials, String code, String words, Object change)
      throws Exception {
    GenerateAccessTokenRequest.Builder request =
        GenerateAccessTokenRequest.newBuilder().setName("projects/-/serviceAccounts/" + stage.deployer);
    if (change instanceof Duration lifetime) request.setLifetime(lifetime);
    request.addScope(change instanceof String scope ? scope : Stage.CLOUD);
    try (IamCredentialsClient client = Federation.client(wire, credentials)) {
      stage.control.refuses(
          "iamcredentials",
          check,
          () -> {
            Exception raised = Verdict.raises(() -> client.generateAccessToken(request.build()), words);
            Verdict.equal(((ApiException) raised).getStatusCode().getCode().name(), code, "the code");
          });
    }
  }

  private void byIamCredentials(String wire) {
    String path = "refused by IAM Credentials, " + wire;
    Map<String, ?> nightly = Map.of("sub", "nightly");
    String denied = "PERMISSION_DENIED";
    String invalid = "INVALID_ARGUMENT";
    all.add(
        new Case(
            Suite.IAM,
            path,
            "no permission",
            () -> refused(wire, "permission", stage.build(nightly, null), denied, NO_ACCESS_TOKEN, null)));
    Duration hours = Duration.newBuilder().setSeconds(7200).build();
    String tooLong = "can not have lifetimes of more than 1 hour";
    all.add(
        new Case(
            Suite.IAM,
            path,
            "lifetime over an hour",
            () -> refused(wire, "request", stage.credentials(stage.key), invalid, tooLong, hours)));
    String wrong = "Request contains an invalid argument.";
    all.add(
        new Case(
            Suite.IAM,
            path,
            "a scope that is none",
            () -> refused(wire, "request", stage.credentials(stage.key), invalid, wrong, stage.ledger)));
  }

  private void byLibrary() {
    String path = "refused by IAM Credentials";
    all.add(
        new Case(
            Suite.AUTH,
            path,
            "workload may not act as the account",
            () -> {
              GoogleCredentials workload = stage.build(Map.of("sub", "nightly"), stage.deployer);
              stage.control.refuses(
                  "iamcredentials", "permission", () -> Verdict.raises(workload::refresh, NO_ACCESS_TOKEN));
            }));
    all.add(
        new Case(
            Suite.AUTH,
            path,
            "ID token of another account",
            () -> {
              ImpersonatedCredentials target =
                  ImpersonatedCredentials.create(
                      stage.credentials(stage.key), stage.stranger, null, List.of(Stage.CLOUD), 600);
              stage.control.refuses(
                  "iamcredentials",
                  "permission",
                  () -> Verdict.raises(() -> target.idTokenWithAudience("x", List.of()), NO_ID_TOKEN));
            }));
  }

  private void assertion(String name, String check, Token key, String words) {
    Verdict.Work trial =
        () -> {
          Path file = Files.writeString(stage.path("key.json"), key.make());
          ServiceAccountCredentials credentials = (ServiceAccountCredentials) stage.credentials(file);
          stage.control.refuses(
              "oauth2-token", check, () -> Verdict.raises(credentials::refresh, "invalid_grant", words));
        };
    all.add(new Case(Suite.AUTH, "refused by oauth2", name, trial));
  }

  private static JsonObject read(Path file) throws IOException {
    return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
  }

  private void byOauth2() {
    assertion(
        "deleted key",
        "signature",
        () -> {
          Path file = stage.newKey(stage.deployer);
          String id = read(file).get("private_key_id").getAsString();
          String name = "projects/-/serviceAccounts/" + stage.deployer + "/keys/" + id;
          Http.send("DELETE", "https://iam.googleapis.com/v1/" + name, stage.owner, null, null).json();
          return Files.readString(file);
        },
        "Invalid JWT Signature.");
    assertion(
        "wrong key",
        "signature",
        () -> {
          JsonObject key = read(stage.key);
          key.add("private_key", read(stage.newKey(stage.stranger)).get("private_key"));
          return key.toString();
        },
        "Invalid JWT Signature.");
    assertion(
        "unknown account",
        "account",
        () -> {
          JsonObject key = read(stage.key);
          key.addProperty("client_email", stage.email("nobody-2"));
          return key.toString();
        },
        "Invalid grant: account not found");
  }

  /** The same token by HTTP and by gRPC, where the refusal is a page, and a code that gRPC makes of its status. */
  private void door(String name, String check, Token token, int status, String challenge, Status.Code code) {
    Verdict.Work trial =
        () -> {
          String shown = token.make();
          stage.control.refuses(
              "cloud-run-front",
              check,
              () -> {
                Http.Answer answer = Http.send("GET", stage.ledger + "/entries", null, shown, null);
                Verdict.equal(answer.status(), status, "the status");
                Verdict.equal(answer.challenge(), challenge, "the challenge");
              });
          Credentials bare = shown == null ? null : Federation.bare(shown);
          stage.control.refuses(
              "cloud-run-front",
              check,
              () -> {
                Exception raised = Verdict.raises(() -> Service.call(stage.ledger, bare));
                Verdict.equal(Status.fromThrowable(raised).getCode(), code, "the code by gRPC");
              });
        };
    all.add(new Case(Suite.AUTH, "refused by Cloud Run, HTTP and gRPC", name, trial));
  }

  private String idToken(Path key, String audience) throws IOException {
    return IdTokens.of(stage.keyOf(key), audience).refreshAccessToken().getTokenValue();
  }

  private void byCloudRun() {
    door(
        "ID token for another audience",
        "audience",
        () -> idToken(stage.key, "https://elsewhere.example"),
        401,
        CHALLENGE,
        Status.Code.UNAUTHENTICATED);
    door(
        "account without invoker",
        "permission",
        () -> idToken(stage.newKey(stage.stranger), stage.ledger),
        403,
        null,
        Status.Code.PERMISSION_DENIED);
    door("no token", "credential", () -> null, 403, null, Status.Code.PERMISSION_DENIED);
    door(
        "access token",
        "credential",
        () -> stage.credentials(stage.key).refreshAccessToken().getTokenValue(),
        401,
        CHALLENGE,
        Status.Code.UNAUTHENTICATED);
  }

  static List<Case> cases(Stage stage) {
    Refusals refusals = new Refusals(stage);
    refusals.bySts();
    refusals.byIamCredentials("gRPC");
    refusals.byIamCredentials("REST");
    refusals.byLibrary();
    refusals.byOauth2();
    refusals.byCloudRun();
    return refusals.all;
  }
}
