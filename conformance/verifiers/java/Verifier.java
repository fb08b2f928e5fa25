import com.google.auth.oauth2.TokenVerifier;
import com.google.auth.oauth2.TokenVerifier.VerificationException;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/**
 * An application of its own that takes tokens of Google: it verifies them with the library's TokenVerifier.
 *
 * <p>{@code java -cp LIBRARIES Verifier.java AUDIENCE ACCOUNT} listens on a free port of this machine and prints it. 204 for
 * an ID token of Google for AUDIENCE whose e-mail address is ACCOUNT, else 401 with the reason.
 */
final class Verifier {
  private final TokenVerifier verifier;
  private final String account;

  private Verifier(String audience, String account) {
    this.verifier =
        TokenVerifier.newBuilder().setAudience(audience).setIssuer("https://accounts.google.com").build();
    this.account = account;
  }

  public static void main(String[] arguments) throws IOException {
    Verifier verifier = new Verifier(arguments[0], arguments[1]);
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", verifier::answer);
    server.start();
    System.out.println(server.getAddress().getPort());
  }

  private void answer(HttpExchange exchange) throws IOException {
    exchange.getRequestBody().readAllBytes();
    String why = whyNot(exchange.getRequestHeaders().getFirst("Authorization"));
    if (why == null) {
      exchange.sendResponseHeaders(204, -1);
    } else {
      byte[] body = why.getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(401, body.length);
      exchange.getResponseBody().write(body);
    }
    exchange.close();
  }

  private String whyNot(String header) {
    if (header == null || !header.regionMatches(true, 0, "bearer ", 0, 7)) {
      return "no bearer token";
    }
    try {
      var claims = verifier.verify(header.substring(7)).getPayload();
      boolean own = account.equals(claims.get("email")) && Boolean.TRUE.equals(claims.get("email_verified"));
      return own ? null : "the token is one of " + claims.get("email");
    } catch (VerificationException failed) {
      return String.valueOf(failed.getMessage());
    }
  }
}
