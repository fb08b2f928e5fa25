package dev.tokenrig.conformance;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.HashMap;

/** A provider of a workload identity pool, as a build knows it that has tokens of its own OpenID provider. */
record Provider(String name, String issuer) {
  static final String JWT = "urn:ietf:params:oauth:token-type:jwt";

  /** What a subject token must be for, unless the provider says otherwise. */
  String audience() {
    return "https://iam.googleapis.com/" + name;
  }

  /** A subject token, signed by the provider's own issuer; {@code changes} differ from the good claims. */
  String token(Map<String, ?> changes) throws IOException {
    long now = Instant.now().getEpochSecond();
    Map<String, Object> claims = new HashMap<>();
    claims.put("iss", issuer);
    claims.put("aud", audience());
    claims.put("sub", "release");
    claims.put("branch", "main");
    claims.put("iat", now);
    claims.put("exp", now + 3600);
    claims.putAll(changes);
    return Http.post(issuer + "/token", null, Stage.JSON.toJsonTree(claims)).text();
  }

  /** The same token, with its key id, signed with a key that the issuer does not have. */
  static String forged(String token) throws Exception {
    KeyPairGenerator pairs = KeyPairGenerator.getInstance("RSA");
    pairs.initialize(2048);
    String signed = token.substring(0, token.lastIndexOf('.'));
    Signature signature = Signature.getInstance("SHA256withRSA");
    signature.initSign(pairs.generateKeyPair().getPrivate());
    signature.update(signed.getBytes(StandardCharsets.US_ASCII));
    return signed + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(signature.sign());
  }

  /** The claims of a token, unverified. */
  static JsonObject open(String token) {
    byte[] claims = Base64.getUrlDecoder().decode(token.split("\\.")[1]);
    return JsonParser.parseString(new String(claims, StandardCharsets.UTF_8)).getAsJsonObject();
  }

  /** What {@code gcloud iam workload-identity-pools create-cred-config} writes. */
  Path file(Path path, Map<String, ?> source, String impersonate, Map<String, ?> more) throws IOException {
    Map<String, Object> config = new HashMap<>();
    config.put("universe_domain", "googleapis.com");
    config.put("type", "external_account");
    config.put("audience", "//iam.googleapis.com/" + name);
    config.put("subject_token_type", JWT);
    config.put("token_url", "https://sts.googleapis.com/v1/token");
    config.put("credential_source", source);
    if (impersonate == null) {
      config.put("token_info_url", "https://sts.googleapis.com/v1/introspect");
    } else {
      String account = "projects/-/serviceAccounts/" + impersonate;
      String url = "https://iamcredentials.googleapis.com/v1/" + account + ":generateAccessToken";
      config.put("service_account_impersonation_url", url);
    }
    config.putAll(more);
    return Files.writeString(path, Stage.JSON.toJson(config));
  }
}
