package dev.tokenrig.conformance;

import com.google.auth.oauth2.GoogleCredentials;
import com.google.auth.oauth2.ServiceAccountCredentials;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What all cases stand on: the owner, the rig's control address, a workload, and a folder for files. */
final class Stage {
  static final String CLOUD = "https://www.googleapis.com/auth/cloud-platform";
  static final String REGION = "us-central1";
  // A claim may be null on purpose.
  static final Gson JSON = new GsonBuilder().serializeNulls().create();
  private static final Map<String, String> SECRET = Map.of("x-build-secret", "let me in");
  private static final Map<String, String> FORMAT = Map.of("type", "json", "subject_token_field_name", "oidc_token");

  final GoogleCredentials owner;
  final String project;
  final String number;
  final Control control = new Control();
  final Provider provider;
  final Provider closed;
  final String ledger;
  final String deployer;
  final String stranger;
  final Path key;
  private final Path folder;
  private final HttpServer server;
  private int files = 0;
  private String served = "";

  Stage(Path folder) throws IOException {
    this.folder = folder;
    owner = GoogleCredentials.getApplicationDefault().createScoped(CLOUD);
    project = System.getenv("GOOGLE_CLOUD_PROJECT");
    number =
        get("https://cloudresourcemanager.googleapis.com/v1/projects/" + project).get("projectNumber").getAsString();
    provider = provider("build", "trusted");
    closed = provider("build", "closed");
    ledger = service("ledger");
    deployer = email("deployer");
    stranger = email("stranger");
    key = newKey(deployer);
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          boolean known = "let me in".equals(exchange.getRequestHeaders().getFirst("x-build-secret"));
          String text = exchange.getRequestURI().getPath().equals("/text") ? served : inJson(served);
          byte[] body = (known ? text : "").getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(known ? 200 : 403, body.length == 0 ? -1 : body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
  }

  JsonObject get(String url) throws IOException {
    return Http.get(url, owner).json();
  }

  /** The URL of a Cloud Run service. */
  String service(String name) throws IOException {
    String path = "projects/" + project + "/locations/" + REGION + "/services/" + name;
    return get("https://run.googleapis.com/v2/" + path).get("uri").getAsString();
  }

  String email(String account) {
    return account + "@" + project + ".iam.gserviceaccount.com";
  }

  Provider provider(String pool, String id) throws IOException {
    String name = "projects/" + number + "/locations/global/workloadIdentityPools/" + pool + "/providers/" + id;
    JsonObject resource = get("https://iam.googleapis.com/v1/" + name);
    return new Provider(name, resource.getAsJsonObject("oidc").get("issuerUri").getAsString());
  }

  /** A path of its own for a file of this name. */
  Path path(String name) throws IOException {
    return Files.createDirectory(folder.resolve(String.valueOf(files++))).resolve(name);
  }

  /** The file of a new key of an account, as the IAM API gives it. */
  Path newKey(String account) throws IOException {
    String url = "https://iam.googleapis.com/v1/projects/-/serviceAccounts/" + account + "/keys";
    String data = Http.post(url, owner, new JsonObject()).json().get("privateKeyData").getAsString();
    return Files.write(path("key.json"), Base64.getDecoder().decode(data));
  }

  GoogleCredentials credentials(Path file) throws IOException {
    try (InputStream stream = Files.newInputStream(file)) {
      return GoogleCredentials.fromStream(stream).createScoped(CLOUD);
    }
  }

  ServiceAccountCredentials keyOf(Path file) throws IOException {
    try (InputStream stream = Files.newInputStream(file)) {
      return ServiceAccountCredentials.fromStream(stream);
    }
  }

  /** The credentials of a build, whose subject token stands in a file. */
  GoogleCredentials build(Map<String, ?> claims, String impersonate) throws IOException {
    Map<String, ?> source = textFile(provider.token(claims));
    return credentials(provider.file(path("credentials.json"), source, impersonate, Map.of()));
  }

  private static String inJson(String token) {
    return JSON.toJson(Map.of("build", "7", "oidc_token", token));
  }

  /** With the line break that most tools leave behind. */
  Map<String, ?> textFile(String token) throws IOException {
    return Map.of("file", Files.writeString(path("token.txt"), token + "\n").toString());
  }

  Map<String, ?> jsonFile(String token) throws IOException {
    return Map.of("file", Files.writeString(path("token.json"), inJson(token)).toString(), "format", FORMAT);
  }

  Map<String, ?> url(String form, String token, boolean withHeader) {
    served = token;
    String url = "http://127.0.0.1:" + server.getAddress().getPort() + "/" + form;
    Map<String, Object> source = new HashMap<>(Map.of("url", url, "headers", withHeader ? SECRET : Map.of()));
    if (form.equals("json")) source.put("format", FORMAT);
    return source;
  }

  /** A command that gives the token, but only for {@code audience}. */
  Map<String, ?> executable(String token, String audience, Map<String, ?> options) throws IOException {
    // The suite is started in the workspace.
    Path script = Path.of("conformance/print-token.sh").toAbsolutePath();
    Path file = Files.writeString(path("token.txt"), token);
    Map<String, Object> executable = new HashMap<>(options);
    executable.put("command", String.join(" ", List.of(script.toString(), file.toString(), audience)));
    executable.put("timeout_millis", 5000);
    return Map.of("executable", executable);
  }

  /** An ID token must be the deployer's, with e-mail, for {@code audience}. */
  void ofDeployer(String token, String audience) {
    JsonObject claims = Provider.open(token);
    Verdict.equal(claims.get("iss").getAsString(), "https://accounts.google.com", "the issuer");
    Verdict.equal(claims.get("email").getAsString(), deployer, "the e-mail");
    Verdict.equal(claims.get("aud").getAsString(), audience, "the audience");
  }
}
