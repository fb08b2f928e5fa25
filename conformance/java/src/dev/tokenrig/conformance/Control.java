package dev.tokenrig.conformance;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The rig's control address: what it decided since the last look. */
final class Control {
  private final String url = System.getenv("TOKENRIG_URL");
  private int seen = 0;

  /** The decisions since the last look. */
  private List<JsonObject> fresh() throws IOException {
    JsonArray all = Http.get(url + "/decisions?since=" + seen, null).json().getAsJsonArray("decisions");
    List<JsonObject> made = new ArrayList<>();
    for (JsonElement one : all) {
      made.add(one.getAsJsonObject());
      seen = Math.max(seen, one.getAsJsonObject().get("seq").getAsInt());
    }
    return made;
  }

  /** All attempts that it made for jobs and tasks, and still knows. */
  JsonArray attempts() throws IOException {
    return Http.get(url + "/attempts", null).json().getAsJsonArray("attempts");
  }

  private static String surface(JsonObject decision) {
    return decision.get("surface").getAsString();
  }

  /** The surface and the check that gave the answer of a refusal. */
  private static Stream<String> refusal(JsonObject decision) {
    for (JsonElement check : decision.getAsJsonArray("checks")) {
      JsonObject made = check.getAsJsonObject();
      if (!made.get("ok").getAsBoolean()) return Stream.of(surface(decision) + " " + made.get("name").getAsString());
    }
    return Stream.of();
  }

  /** What {@code work} does is refused at {@code surface}, and {@code check} is the reason. */
  void refuses(String surface, String check, Verdict.Work work) throws Exception {
    fresh();
    work.run();
    List<String> refused = fresh().stream().flatMap(Control::refusal).toList();
    String wanted = surface + " " + check;
    Verdict.need(refused.contains(wanted), "the rig refused for " + refused + ", not for " + wanted);
  }

  /** What {@code work} does passes these surfaces, in this order, and nothing is refused. */
  void allows(String surfaces, Verdict.Work work) throws Exception {
    fresh();
    work.run();
    List<JsonObject> made = fresh();
    Verdict.equal(made.stream().flatMap(Control::refusal).toList(), List.of(), "what the rig refused");
    List<String> passed = made.stream().map(Control::surface).toList();
    int at = 0;
    for (String surface : surfaces.split(" ")) {
      int found = passed.subList(at, passed.size()).indexOf(surface);
      Verdict.need(found >= 0, surface + " was not asked: " + passed);
      at += found + 1;
    }
  }
}
