package dev.tokenrig.conformance;

import com.google.api.core.ApiFuture;
import com.google.auth.Credentials;
import com.google.auth.oauth2.ComputeEngineCredentials;
import com.google.auth.oauth2.CredentialAccessBoundary;
import com.google.auth.oauth2.DownscopedCredentials;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.auth.oauth2.ImpersonatedCredentials;
import com.google.cloud.iam.credentials.v1.GenerateAccessTokenRequest;
import com.google.cloud.iam.credentials.v1.GenerateIdTokenRequest;
import com.google.cloud.iam.credentials.v1.GenerateIdTokenResponse;
import com.google.cloud.iam.credentials.v1.IamCredentialsClient;
import dev.tokenrig.conformance.Suite.Case;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Access tokens: by key, by the machine, impersonated, downscoped; what an account signs; many calls at once. */
final class AccessTokens {
  private final Stage stage;
  private final String project;
  private final String resource;

  private AccessTokens(Stage stage) {
    this.stage = stage;
    project = "https://cloudresourcemanager.googleapis.com/v1/projects/" + stage.project;
    resource = "projects/-/serviceAccounts/" + stage.deployer;
  }

  private GoogleCredentials key() throws IOException {
    return stage.credentials(stage.key);
  }

  /** Resource Manager answers a client with these credentials. */
  private void reads(Credentials credentials) throws IOException {
    String number = Http.get(project, credentials).json().get("projectNumber").getAsString();
    Verdict.equal(number, stage.number, "the project number");
  }

  private void byOauth2() throws Exception {
    GoogleCredentials key = stage.keyOf(stage.key).createScoped(Stage.CLOUD);
    stage.control.allows("oauth2-token cloudresourcemanager", () -> reads(key));
  }

  /** With a scope, and signed by itself: no token endpoint is asked. */
  private void selfSigned() throws Exception {
    GoogleCredentials key =
        stage.keyOf(stage.key).createWithUseJwtAccessWithScope(true).createScoped(List.of(Stage.CLOUD));
    stage.control.allows("cloudresourcemanager", () -> reads(key));
  }

  private void impersonated() throws Exception {
    ImpersonatedCredentials target =
        ImpersonatedCredentials.create(key(), stage.deployer, null, List.of(Stage.CLOUD), 600);
    reads(target);
    Instant expires = target.getAccessToken().getExpirationTime().toInstant();
    long left = Duration.between(Instant.now(), expires).toSeconds();
    Verdict.need(590 <= left && left <= 601, "the access token has " + left + " seconds, not 600");
  }

  /** A token that opens one bucket and nothing else. */
  private void downscoped() throws Exception {
    CredentialAccessBoundary.AccessBoundaryRule rule =
        CredentialAccessBoundary.AccessBoundaryRule.newBuilder()
            .setAvailableResource("//storage.googleapis.com/projects/_/buckets/reports")
            .addAvailablePermission("inRole:roles/storage.objectViewer")
            .build();
    DownscopedCredentials narrow =
        DownscopedCredentials.newBuilder()
            .setSourceCredential(key())
            .setCredentialAccessBoundary(CredentialAccessBoundary.newBuilder().addRule(rule).build())
            .build();
    stage.control.allows("oauth2-token sts", narrow::refresh);
    stage.control.refuses(
        "cloudresourcemanager",
        "permission",
        () -> Verdict.equal(Http.get(project, narrow).status(), 403, "the status"));
  }

  private void signed() throws Exception {
    ImpersonatedCredentials target =
        ImpersonatedCredentials.create(key(), stage.deployer, null, List.of(Stage.CLOUD), 600);
    byte[] signature = target.sign("pay 5".getBytes(StandardCharsets.UTF_8));
    Verdict.need(verifies("pay 5", signature), "the signature does not hold");
    Verdict.need(!verifies("pay 6", signature), "the signature holds for anything");
  }

  /** Whether one of the account's published certificates verifies the signature. */
  private boolean verifies(String text, byte[] signature) throws Exception {
    String url = "https://www.googleapis.com/robot/v1/metadata/x509/" + stage.deployer;
    for (var pem : Http.get(url, null).json().entrySet()) {
      byte[] bytes = pem.getValue().getAsString().getBytes(StandardCharsets.US_ASCII);
      Signature verifier = Signature.getInstance("SHA256withRSA");
      verifier.initVerify(
          CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(bytes)));
      verifier.update(text.getBytes(StandardCharsets.UTF_8));
      if (verifier.verify(signature)) return true;
    }
    return false;
  }

  /** A generated client with a key may sign for its own service, and then asks no token endpoint. */
  private void accessToken(String wire) throws Exception {
    try (IamCredentialsClient client = Federation.client(wire, key())) {
      stage.control.allows(
          "iamcredentials",
          () -> {
            GenerateAccessTokenRequest request =
                GenerateAccessTokenRequest.newBuilder().setName(resource).addScope(Stage.CLOUD).build();
            String token = client.generateAccessToken(request).getAccessToken();
            Verdict.need(token.startsWith("ya29."), "the access token has another form");
          });
    }
  }

  /** Many calls by one client, each of which must get the token that it asked for. */
  private void atOnce(String wire) throws Exception {
    try (IamCredentialsClient client = Federation.client(wire, key())) {
      List<ApiFuture<GenerateIdTokenResponse>> asked = new ArrayList<>();
      for (int number = 0; number < 40; number++) {
        GenerateIdTokenRequest request =
            GenerateIdTokenRequest.newBuilder().setName(resource).setAudience("https://shop-" + number).build();
        asked.add(client.generateIdTokenCallable().futureCall(request));
      }
      for (int number = 0; number < 40; number++) {
        String audience = Provider.open(asked.get(number).get().getToken()).get("aud").getAsString();
        Verdict.equal(audience, "https://shop-" + number, "the audience");
      }
    }
  }

  static List<Case> cases(Stage stage) {
    AccessTokens ways = new AccessTokens(stage);
    List<Case> all = new ArrayList<>();
    all.add(new Case(Suite.AUTH, "service-account key", "scoped token by oauth2", ways::byOauth2));
    all.add(new Case(Suite.AUTH, "service-account key", "self-signed, with scope", ways::selfSigned));
    all.add(
        new Case(
            Suite.AUTH,
            "metadata server",
            "access token",
            () -> stage.control.allows("cloudresourcemanager", () -> ways.reads(ComputeEngineCredentials.create()))));
    all.add(new Case(Suite.AUTH, "ImpersonatedCredentials", "lifetime of 10 minutes", ways::impersonated));
    all.add(new Case(Suite.AUTH, "ImpersonatedCredentials", "sign, verified by certificate", ways::signed));
    all.add(new Case(Suite.AUTH, "DownscopedCredentials", "a token within an access boundary", ways::downscoped));
    for (String wire : List.of("gRPC", "REST")) {
      String path = "service-account key, " + wire;
      all.add(new Case(Suite.IAM, path, "access token", () -> ways.accessToken(wire)));
      all.add(new Case(Suite.IAM, path, "40 calls at once", () -> ways.atOnce(wire)));
    }
    return all;
  }
}
