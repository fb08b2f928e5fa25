package dev.tokenrig.conformance;

import com.google.auth.oauth2.ComputeEngineCredentials;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.auth.oauth2.IdTokenCredentials;
import com.google.auth.oauth2.IdTokenProvider;
import com.google.auth.oauth2.ImpersonatedCredentials;
import com.google.auth.oauth2.TokenVerifier;
import dev.tokenrig.conformance.Suite.Case;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** ID tokens by each way that the library has, and what its own verifier makes of them. */
final class IdTokens {
  private final Stage stage;

  private IdTokens(Stage stage) {
    this.stage = stage;
  }

  static IdTokenCredentials of(GoogleCredentials source, String audience) {
    return IdTokenCredentials.newBuilder()
        .setIdTokenProvider((IdTokenProvider) source)
        .setTargetAudience(audience)
        .setOptions(List.of(IdTokenProvider.Option.INCLUDE_EMAIL, IdTokenProvider.Option.FORMAT_FULL))
        .build();
  }

  /** The service answers by both wires; the credentials ask at the surfaces {@code before} it. */
  private void calls(GoogleCredentials source, String before) throws Exception {
    IdTokenCredentials credentials = of(source, stage.ledger);
    stage.control.allows(before + " cloud-run-front", () -> Service.byHttp(stage.ledger, credentials));
    stage.control.allows("cloud-run-front", () -> Service.byGrpc(stage.ledger, credentials));
  }

  private ImpersonatedCredentials target(GoogleCredentials source) {
    return ImpersonatedCredentials.create(source, stage.deployer, null, List.of(Stage.CLOUD), 3600);
  }

  /** A file of type {@code impersonated_service_account}, as gcloud writes it for application-default login. */
  private GoogleCredentials impersonatedFile() throws Exception {
    String account = "projects/-/serviceAccounts/" + stage.deployer;
    Path file = stage.path("impersonated.json");
    Map<String, ?> config =
        Map.of(
            "type",
            "impersonated_service_account",
            "service_account_impersonation_url",
            "https://iamcredentials.googleapis.com/v1/" + account + ":generateAccessToken",
            "source_credentials",
            Stage.JSON.fromJson(Files.readString(stage.key), Map.class),
            "delegates",
            List.of());
    return stage.credentials(Files.writeString(file, Stage.JSON.toJson(config)));
  }

  private String token(String audience) throws Exception {
    return of(stage.keyOf(stage.key), audience).refreshAccessToken().getTokenValue();
  }

  private void verified() throws Exception {
    TokenVerifier verifier = TokenVerifier.newBuilder().setAudience("client-7").build();
    Object email = verifier.verify(token("client-7")).getPayload().get("email");
    Verdict.equal(email, stage.deployer, "the e-mail that was verified");
  }

  private void refused(String token, String audience, String words) {
    Verdict.raises(() -> TokenVerifier.newBuilder().setAudience(audience).build().verify(token), words);
  }

  private void changed() throws Exception {
    String[] parts = token("client-7").split("\\.");
    parts[2] = parts[2].substring(4) + parts[2].substring(0, 4);
    refused(String.join(".", parts), "client-7", "Invalid signature");
  }

  /** A workload's own token is not Google's, whatever it claims. */
  private void ofOtherIssuer() throws Exception {
    Map<String, ?> claims = Map.of("iss", "https://accounts.google.com", "aud", "client-7");
    refused(stage.provider.token(claims), "client-7", "Could not find PublicKey for provided keyId");
  }

  static List<Case> cases(Stage stage) {
    IdTokens ways = new IdTokens(stage);
    List<Case> all = new ArrayList<>();
    String path = "IdTokenCredentials, HTTP and gRPC";
    all.add(
        new Case(
            Suite.AUTH,
            path,
            "service-account key",
            () -> ways.calls(stage.keyOf(stage.key), "oauth2-token")));
    all.add(
        new Case(Suite.AUTH, path, "metadata server", () -> ways.calls(ComputeEngineCredentials.create(), "metadata")));
    all.add(
        new Case(
            Suite.AUTH,
            path,
            "impersonated from a key",
            () -> ways.calls(ways.target(stage.keyOf(stage.key)), "iamcredentials")));
    all.add(
        new Case(
            Suite.AUTH,
            path,
            "impersonated from a workload",
            () -> ways.calls(ways.target(stage.build(Map.of(), null)), "sts iamcredentials")));
    all.add(
        new Case(
            Suite.AUTH,
            path,
            "impersonated_service_account file",
            () -> ways.calls(ways.impersonatedFile(), "iamcredentials")));
    all.add(
        new Case(
            Suite.AUTH,
            "IdTokenCredentials",
            "a workload's file makes none by itself",
            () -> {
              GoogleCredentials workload = stage.build(Map.of(), null);
              Verdict.need(!(workload instanceof IdTokenProvider), "it is a provider of ID tokens by now");
            }));
    all.add(new Case(Suite.AUTH, "TokenVerifier", "ID token of a key", ways::verified));
    all.add(
        new Case(
            Suite.AUTH,
            "TokenVerifier",
            "other audience",
            () -> ways.refused(ways.token("client-7"), "client-8", "Expected audience does not match")));
    all.add(new Case(Suite.AUTH, "TokenVerifier", "changed signature", ways::changed));
    all.add(new Case(Suite.AUTH, "TokenVerifier", "not Google's", ways::ofOtherIssuer));
    return all;
  }
}
