package dev.tokenrig.conformance;

import com.google.api.gax.core.FixedCredentialsProvider;
import com.google.auth.Credentials;
import com.google.auth.oauth2.AccessToken;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.auth.oauth2.OAuth2Credentials;
import com.google.cloud.iam.credentials.v1.GenerateIdTokenRequest;
import com.google.cloud.iam.credentials.v1.IamCredentialsClient;
import com.google.cloud.iam.credentials.v1.IamCredentialsSettings;
import dev.tokenrig.conformance.Suite.Case;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Federation by credential file: every source of subject tokens, with and without impersonation, over both wires. Each ends
 * with an ID token of the deployer, and with the service that it opens, called by HTTP and by gRPC.
 */
final class Federation {
  private interface Source {
    Map<String, ?> make() throws IOException;
  }

  private final Stage stage;

  private Federation(Stage stage) {
    this.stage = stage;
  }

  private Map<String, Source> sources() {
    Map<String, Source> all = new LinkedHashMap<>();
    all.put("file, text", () -> stage.textFile(token()));
    all.put("file, JSON", () -> stage.jsonFile(token()));
    all.put("url, text", () -> stage.url("text", token(), true));
    all.put("url, JSON", () -> stage.url("json", token(), true));
    all.put("executable", () -> stage.executable(token(), "//iam.googleapis.com/" + stage.provider.name(), Map.of()));
    return all;
  }

  private String token() throws IOException {
    return stage.provider.token(Map.of());
  }

  private GoogleCredentials credentials(Map<String, ?> source, boolean impersonate, Map<String, ?> more)
      throws IOException {
    String account = impersonate ? stage.deployer : null;
    return stage.credentials(stage.provider.file(stage.path("credentials.json"), source, account, more));
  }

  /** The generated client of IAM Credentials, by one of its wires. */
  static IamCredentialsClient client(String wire, Credentials credentials) throws IOException {
    IamCredentialsSettings.Builder settings =
        wire.equals("REST") ? IamCredentialsSettings.newHttpJsonBuilder() : IamCredentialsSettings.newBuilder();
    settings.setCredentialsProvider(FixedCredentialsProvider.create(credentials));
    return IamCredentialsClient.create(settings.build());
  }

  private void idToken(Source source, boolean impersonate, String wire) throws Exception {
    GoogleCredentials credentials = credentials(source.make(), impersonate, Map.of());
    String[] token = new String[1];
    stage.control.allows(
        impersonate ? "sts iamcredentials iamcredentials" : "sts iamcredentials",
        () -> {
          try (IamCredentialsClient client = client(wire, credentials)) {
            GenerateIdTokenRequest request =
                GenerateIdTokenRequest.newBuilder()
                    .setName("projects/-/serviceAccounts/" + stage.deployer)
                    .setAudience(stage.ledger)
                    .setIncludeEmail(true)
                    .build();
            token[0] = client.generateIdToken(request).getToken();
          }
        });
    stage.ofDeployer(token[0], stage.ledger);
    stage.control.allows(
        "cloud-run-front cloud-run-front",
        () -> {
          Service.byHttp(stage.ledger, bare(token[0]));
          Service.byGrpc(stage.ledger, bare(token[0]));
        });
  }

  /** A token as credentials that nobody can refresh. */
  static Credentials bare(String token) {
    return OAuth2Credentials.create(new AccessToken(token, null));
  }

  private void lifetime() throws IOException {
    Map<String, ?> more = Map.of("service_account_impersonation", Map.of("token_lifetime_seconds", 1200));
    AccessToken token = credentials(stage.textFile(token()), true, more).refreshAccessToken();
    long left = Duration.between(Instant.now(), token.getExpirationTime().toInstant()).toSeconds();
    Verdict.need(1190 <= left && left <= 1201, "the access token has " + left + " seconds, not 1200");
  }

  /** What an earlier run of the command has left in its output file is used, and the command is not run. */
  private void leftBehind() throws Exception {
    Path output = stage.path("answer.json");
    long expires = Instant.now().getEpochSecond() + 600;
    Map<String, ?> answer =
        Map.of(
            "version", 1, "success", true, "token_type", Provider.JWT, "id_token", token(), "expiration_time", expires);
    Files.writeString(output, Stage.JSON.toJson(answer));
    Map<String, ?> options = Map.of("output_file", output.toString());
    GoogleCredentials credentials = credentials(stage.executable("none", "nobody's", options), false, Map.of());
    stage.control.allows("sts", credentials::refresh);
  }

  private void saysNo() throws IOException {
    GoogleCredentials credentials = credentials(stage.executable(token(), "another", Map.of()), false, Map.of());
    Verdict.raises(credentials::refresh, "401", "asked for another audience");
  }

  private void withoutHeader() throws IOException {
    GoogleCredentials credentials = credentials(stage.url("text", token(), false), false, Map.of());
    Verdict.raises(credentials::refresh, "Error getting subject token from metadata server");
  }

  static List<Case> cases(Stage stage) {
    Federation flow = new Federation(stage);
    List<Case> all = new ArrayList<>();
    for (String wire : List.of("gRPC", "REST")) {
      for (boolean impersonate : new boolean[] {false, true}) {
        String path = (impersonate ? "impersonated workload, " : "federated workload, ") + wire;
        flow.sources()
            .forEach(
                (name, source) -> {
                  Verdict.Work trial = () -> flow.idToken(source, impersonate, wire);
                  all.add(new Case(Suite.IAM, path, "ID token and service, " + name, trial));
                });
      }
    }
    all.add(new Case(Suite.AUTH, "impersonated workload", "lifetime of 20 minutes", flow::lifetime));
    all.add(new Case(Suite.AUTH, "executable source", "what it has left behind", flow::leftBehind));
    all.add(new Case(Suite.AUTH, "executable source", "the command says no", flow::saysNo));
    all.add(new Case(Suite.AUTH, "url source", "without the header", flow::withoutHeader));
    return all;
  }
}
