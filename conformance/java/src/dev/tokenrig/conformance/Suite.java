package dev.tokenrig.conformance;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Runs Google's own Java libraries through federation, impersonation and Cloud Run, and through ways to be refused.
 *
 * <p>Started inside {@code tokenrig exec}: from there on it knows only Google's host names, and the rig's control address
 * to see why a request was refused. Each case is one line of JSON on stdout; the exit code is 1 when a case failed.
 */
public final class Suite {
  /** One thing that a client does. {@code client} is the artifact that is tried, {@code path} the way that it takes. */
  record Case(String client, String path, String name, Verdict.Work trial) {}

  static final String AUTH = "google-auth-library-oauth2-http";
  static final String IAM = "google-cloud-iamcredentials";
  private static final List<Function<Stage, List<Case>>> THEMES =
      List.of(
          WalkThrough::cases,
          Federation::cases,
          IdTokens::cases,
          AccessTokens::cases,
          Deliveries::cases,
          Refusals::cases);

  public static void main(String[] args) throws Exception {
    Path folder = Files.createTempDirectory("tokenrig-java-");
    int failures = 0;
    try {
      Stage stage = new Stage(folder);
      for (Function<Stage, List<Case>> theme : THEMES) {
        for (Case one : theme.apply(stage)) failures += tell(one);
      }
    } finally {
      remove(folder);
    }
    // Channels that a library left open would keep the process.
    System.exit(failures > 0 ? 1 : 0);
  }

  private static int tell(Case one) {
    String why = null;
    try {
      one.trial.run();
    } catch (Verdict.Failed failed) {
      why = failed.getMessage();
    } catch (Exception | Error raised) {
      // Whatever a library throws is a result of its case, and not the end of the suite.
      StringWriter text = new StringWriter();
      raised.printStackTrace(new PrintWriter(text));
      why = text.toString();
    }
    JsonObject line = new JsonObject();
    line.addProperty("client", one.client);
    line.addProperty("version", version(one.client));
    line.addProperty("path", one.path);
    line.addProperty("case", one.name);
    line.addProperty("ok", why == null);
    line.addProperty("why", why);
    System.out.println(line);
    return why == null ? 0 : 1;
  }

  /** The version in the name of the artifact's file. */
  private static String version(String artifact) {
    String separator = System.getProperty("path.separator");
    return Stream.of(System.getProperty("java.class.path").split(separator))
        .map(file -> Path.of(file).getFileName().toString())
        .filter(file -> file.startsWith(artifact + "-"))
        .map(file -> file.substring(artifact.length() + 1).replace(".jar", ""))
        .findFirst()
        .orElse("unknown");
  }

  private static void remove(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
    }
  }

  private Suite() {}
}
