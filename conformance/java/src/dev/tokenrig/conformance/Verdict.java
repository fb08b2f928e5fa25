package dev.tokenrig.conformance;

import java.util.Objects;

/** What a case says when it does not go as it should. */
final class Verdict {
  /** A case did not go as it should. */
  static final class Failed extends RuntimeException {
    Failed(String what) {
      super(what);
    }
  }

  /** Something that a client does, and how it may end. */
  interface Work {
    void run() throws Exception;
  }

  static void need(boolean holds, String what) {
    if (!holds) throw new Failed(what);
  }

  static void equal(Object found, Object wanted, String what) {
    need(Objects.equals(found, wanted), what + " is " + found + ", not " + wanted);
  }

  static void holds(String text, String words, String where) {
    need(text.contains(words), "`" + words + "` is not in " + where + ": " + text);
  }

  /** The client must give up, with words that are in one of its exceptions or of their causes. */
  static Exception raises(Work work, String... words) {
    try {
      work.run();
    } catch (Failed failed) {
      throw failed;
    } catch (Exception raised) {
      for (String part : words) holds(words(raised), part, "what the client says");
      return raised;
    }
    throw new Failed("nothing was thrown");
  }

  /** What an exception and its causes say. */
  static String words(Throwable raised) {
    StringBuilder all = new StringBuilder();
    for (Throwable one = raised; one != null; one = one.getCause()) all.append(one).append('\n');
    return all.toString();
  }

  private Verdict() {}
}
