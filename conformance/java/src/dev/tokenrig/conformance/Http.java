package dev.tokenrig.conformance;

import com.google.api.client.http.ByteArrayContent;
import com.google.api.client.http.GenericUrl;
import com.google.api.client.http.HttpContent;
import com.google.api.client.http.HttpRequest;
import com.google.api.client.http.HttpResponse;
import com.google.api.client.http.javanet.NetHttpTransport;
import com.google.auth.Credentials;
import com.google.auth.http.HttpCredentialsAdapter;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Requests by Google's HTTP library, which obeys the proxy of the system properties. */
final class Http {
  record Answer(int status, String challenge, String text) {
    JsonObject json() {
      Verdict.equal(status, 200, "the status of " + text);
      return JsonParser.parseString(text).getAsJsonObject();
    }
  }

  static Answer get(String url, Credentials credentials) throws IOException {
    return send("GET", url, credentials, null, null);
  }

  static Answer post(String url, Credentials credentials, JsonElement body) throws IOException {
    return send("POST", url, credentials, null, body.toString());
  }

  static Answer send(String method, String url, Credentials credentials, String token, String body) throws IOException {
    HttpCredentialsAdapter adapter = credentials == null ? null : new HttpCredentialsAdapter(credentials);
    HttpContent content = body == null ? null : ByteArrayContent.fromString("application/json", body);
    HttpRequest request =
        new NetHttpTransport().createRequestFactory(adapter).buildRequest(method, new GenericUrl(url), content);
    request.setThrowExceptionOnExecuteError(false);
    if (token != null) request.getHeaders().setAuthorization("Bearer " + token);
    HttpResponse response = request.execute();
    try {
      String text =
          response.getContent() == null ? "" : new String(response.getContent().readAllBytes(), StandardCharsets.UTF_8);
      return new Answer(response.getStatusCode(), response.getHeaders().getAuthenticate(), text);
    } finally {
      response.disconnect();
    }
  }

  private Http() {}
}
