package dev.tokenrig.conformance;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** An application of its own, which verifies with TokenVerifier what jobs and tasks bring along. */
final class Deliveries {
  // What its tokens are for.
  private static final String AUDIENCE = "https://application.example.com";
  private static final int LOOKS = 200;

  private final Stage stage;
  private final String parent;

  private Deliveries(Stage stage) {
    this.stage = stage;
    this.parent = "projects/" + stage.project + "/locations/" + Stage.REGION;
  }

  static List<Suite.Case> cases(Stage stage) {
    // By name the suite runs in a network of its own: the rig reaches nothing that listens there.
    if (System.getenv("HTTPS_PROXY") == null) return List.of();
    Deliveries all = new Deliveries(stage);
    String name = "an application lets in its own tokens only";
    return List.of(
        new Suite.Case(Suite.AUTH, "TokenVerifier, Cloud Scheduler", name, () -> all.verified(all::job)),
        new Suite.Case(Suite.AUTH, "TokenVerifier, Cloud Tasks", name, () -> all.verified(all::task)));
  }

  /** What calls a URL with a token for an audience, or without any; gives its name. */
  private interface Caller {
    String call(String id, String url, String audience) throws IOException;
  }

  private Map<String, ?> target(String field, String url, String audience) {
    if (audience == null) return Map.of(field, url);
    return Map.of(field, url, "oidcToken", Map.of("serviceAccountEmail", stage.deployer, "audience", audience));
  }

  private String post(String url, Object body) throws IOException {
    JsonElement told = Stage.JSON.toJsonTree(body);
    return Http.post(url, stage.owner, told).json().get("name").getAsString();
  }

  private String job(String id, String url, String audience) throws IOException {
    String jobs = "https://cloudscheduler.googleapis.com/v1/" + parent + "/jobs";
    String name = parent + "/jobs/java-" + id;
    // It does not come by itself while a suite runs.
    post(jobs, Map.of("name", name, "schedule", "0 0 1 1 *", "httpTarget", target("uri", url, audience)));
    return post(jobs + "/java-" + id + ":run", Map.of());
  }

  private String task(String id, String url, String audience) throws IOException {
    String queues = "https://cloudtasks.googleapis.com/v2/" + parent + "/queues";
    String queue = "java-" + id;
    post(queues, Map.of("name", parent + "/queues/" + queue, "retryConfig", Map.of("maxAttempts", 1)));
    return post(queues + "/" + queue + "/tasks", Map.of("task", Map.of("httpRequest", target("url", url, audience))));
  }

  /** The application lets in what was made for it, and nothing else. */
  private void verified(Caller caller) throws Exception {
    Path program = Path.of("conformance/verifiers/java/Verifier.java").toAbsolutePath();
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String libraries = System.getProperty("java.class.path");
    Process application =
        new ProcessBuilder(java, "-cp", libraries, program.toString(), AUDIENCE, stage.deployer)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader said =
        new BufferedReader(new InputStreamReader(application.getInputStream(), StandardCharsets.UTF_8))) {
      String url = "http://127.0.0.1:" + Integer.parseInt(said.readLine()) + "/called";
      Verdict.equal(attempted(caller.call("own", url, AUDIENCE)), 204, "the answer to its own");
      Verdict.equal(attempted(caller.call("others", url, url)), 401, "the answer to another's");
      Verdict.equal(attempted(caller.call("none", url, null)), 401, "the answer to no token");
    } finally {
      application.destroy();
    }
  }

  /** The answer to the first attempt for a job or a task, once it has ended: the rig makes it as its clock runs. */
  private int attempted(String resource) throws Exception {
    for (int look = 0; look < LOOKS; look++) {
      for (JsonElement one : stage.control.attempts()) {
        JsonObject attempt = one.getAsJsonObject();
        boolean own = attempt.get("resource").getAsString().equals(resource);
        if (own && attempt.has("ended")) return attempt.get("status").getAsInt();
      }
      Thread.sleep(100);
    }
    throw new Verdict.Failed(resource + " was not attempted");
  }
}
