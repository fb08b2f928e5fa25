package dev.tokenrig.conformance;

import com.google.cloud.iam.credentials.v1.GenerateIdTokenRequest;
import com.google.cloud.iam.credentials.v1.IamCredentialsClient;
import com.google.cloud.iam.credentials.v1.IamCredentialsSettings;
import com.google.cloud.iam.credentials.v1.ServiceAccountName;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/**
 * Calls a private Cloud Run service the way a federated workload does, with Google's own client.
 *
 * <pre>Call URL EMAIL AUDIENCE [grpc|rest]</pre>
 *
 * <p>Application Default Credentials (an {@code external_account} file, as a rule) become a federated token, IAM Credentials
 * makes an ID token of EMAIL for AUDIENCE, and that token goes to URL. The service's answer is printed. When one of the
 * three says no, its words go to stderr, with the status, and the exit code is 1.
 */
public final class Call {
  public static void main(String[] args) throws IOException {
    if (args.length < 3 || args.length > 4) {
      System.err.println("usage: Call URL EMAIL AUDIENCE [grpc|rest]");
      System.exit(2);
    }
    String token = "";
    try {
      token = idToken(args[1], args[2], args.length == 4 && args[3].equals("rest"));
    } catch (IOException | RuntimeException refused) {
      System.err.println("no ID token: " + Verdict.words(refused));
      System.exit(1);
    }
    HttpURLConnection connection = (HttpURLConnection) URI.create(args[0]).toURL().openConnection();
    connection.setRequestProperty("Authorization", "Bearer " + token);
    int status = connection.getResponseCode();
    if (status != 200) {
      System.err.println(args[0] + " refused it: " + status + " " + connection.getResponseMessage());
      System.err.println(connection.getHeaderField("WWW-Authenticate"));
      System.exit(1);
    }
    System.out.println(new String(connection.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
  }

  private static String idToken(String account, String audience, boolean rest) throws IOException {
    IamCredentialsSettings.Builder settings =
        rest ? IamCredentialsSettings.newHttpJsonBuilder() : IamCredentialsSettings.newBuilder();
    try (IamCredentialsClient client = IamCredentialsClient.create(settings.build())) {
      GenerateIdTokenRequest request =
          GenerateIdTokenRequest.newBuilder()
              .setName(ServiceAccountName.of("-", account).toString())
              .setAudience(audience)
              .setIncludeEmail(true)
              .build();
      return client.generateIdToken(request).getToken();
    }
  }

  private Call() {}
}
