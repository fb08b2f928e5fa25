package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strings"
	"time"
)

const jwtType = "urn:ietf:params:oauth:token-type:jwt"

type claims map[string]any

// A provider of a workload identity pool, as a build knows it that has tokens of its own OpenID provider.
type provider struct {
	name, issuer string
}

func readProvider(from *owner, pool, id string) provider {
	name := fmt.Sprintf("projects/%s/locations/global/workloadIdentityPools/%s/providers/%s", from.number, pool, id)
	oidc := from.get("https://iam.googleapis.com/v1/" + name)["oidc"].(map[string]any)
	return provider{name: name, issuer: oidc["issuerUri"].(string)}
}

// What a subject token must be for, unless the provider says otherwise.
func (one provider) audience() string {
	return "https://iam.googleapis.com/" + one.name
}

// A subject token, signed by the provider's own issuer.
func (one provider) token(changes claims) string {
	now := time.Now().Unix()
	all := claims{"iss": one.issuer, "aud": one.audience(), "sub": "release", "branch": "main", "iat": now, "exp": now + 3600}
	maps.Copy(all, changes)
	status, text := send(http.DefaultClient, http.MethodPost, one.issuer+"/token", "", all)
	need(status == http.StatusOK, "the issuer answered %d %s", status, text)
	return text
}

// The same token, with its key id, signed with a key that the issuer does not have.
func forged(token string) string {
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	signed := token[:strings.LastIndex(token, ".")]
	digest := sha256.Sum256([]byte(signed))
	signature := must(rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:]))
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// What `gcloud iam workload-identity-pools create-cred-config` writes.
func (one provider) file(path string, source map[string]any, impersonate string, more map[string]any) string {
	config := map[string]any{
		"universe_domain":    "googleapis.com",
		"type":               "external_account",
		"audience":           "//iam.googleapis.com/" + one.name,
		"subject_token_type": jwtType,
		"token_url":          "https://sts.googleapis.com/v1/token",
		"credential_source":  source,
	}
	if impersonate == "" {
		config["token_info_url"] = "https://sts.googleapis.com/v1/introspect"
	} else {
		config["service_account_impersonation_url"] =
			"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" + impersonate + ":generateAccessToken"
	}
	maps.Copy(config, more)
	write(path, string(must(json.Marshal(config))))
	return path
}

// The claims of a token, unverified.
func open(token string) claims {
	parts := strings.Split(token, ".")
	need(len(parts) == 3, "this is no token: %s", token)
	found := claims{}
	err := json.Unmarshal(must(base64.RawURLEncoding.DecodeString(parts[1])), &found)
	need(err == nil, "the claims are no JSON: %v", err)
	return found
}

func write(path, text string) {
	err := os.WriteFile(path, []byte(text), 0o600)
	need(err == nil, "%v", err)
}
