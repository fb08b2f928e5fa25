package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"

	authcredentials "cloud.google.com/go/auth/credentials"
	authidtoken "cloud.google.com/go/auth/credentials/idtoken"
	"cloud.google.com/go/auth/credentials/impersonate"
	"cloud.google.com/go/auth/httptransport"
	"google.golang.org/api/idtoken"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/oauth"
)

// ID tokens by each way that the modules have, and what their own verifiers make of them.
func idTokens(stage *stage) []trial {
	var all []trial
	add := func(client, path, name string, run func()) { all = append(all, trial{client, path, name, run}) }

	// google.golang.org/api/idtoken: the documented way, by HTTP and by gRPC.
	kinds := []struct {
		name, surfaces string
		file           func() string
	}{
		{"service-account key", "oauth2-token", func() string { return stage.key }},
		{"impersonated_service_account file", "iamcredentials", func() string { return impersonatedFile(stage) }},
		{"external_account file with impersonation", "sts iamcredentials", func() string {
			return stage.build(stage.provider.token(nil), stage.deployer)
		}},
	}
	for _, kind := range kinds {
		add(api, "idtoken.NewClient", kind.name, func() {
			with(credentialsVariable, kind.file(), func() {
				stage.control.allows(kind.surfaces+" cloud-run-front", func() {
					byHTTP(must(idtoken.NewClient(context.Background(), stage.ledger)), stage.ledger, "")
				})
			})
		})
		add(api, "idtoken.NewTokenSource, gRPC", kind.name, func() {
			with(credentialsVariable, kind.file(), func() {
				stage.control.allows(kind.surfaces+" cloud-run-front", func() {
					source := must(idtoken.NewTokenSource(context.Background(), stage.ledger))
					byGRPC(stage.ledger, "", grpc.WithPerRPCCredentials(oauth.TokenSource{TokenSource: source}))
				})
			})
		})
	}
	add(api, "idtoken.NewClient", "metadata server", func() {
		stage.control.allows("metadata cloud-run-front", func() {
			byHTTP(must(idtoken.NewClient(context.Background(), stage.ledger)), stage.ledger, "")
		})
	})

	// cloud.google.com/go/auth.
	byNew := func(surfaces string, options *authidtoken.Options) {
		options.Audience = stage.ledger
		stage.control.allows(surfaces+" cloud-run-front", func() {
			found := must(authidtoken.NewCredentials(options))
			client := must(httptransport.NewClient(&httptransport.Options{Credentials: found}))
			byHTTP(client, stage.ledger, "")
		})
	}
	add(auth, "idtoken.NewCredentials", "metadata server", func() { byNew("metadata", &authidtoken.Options{}) })
	add(auth, "idtoken.NewCredentials", "default credentials, key", func() {
		with(credentialsVariable, stage.key, func() { byNew("oauth2-token", &authidtoken.Options{}) })
	})
	add(auth, "idtoken.NewCredentials", "external_account file without impersonation", func() {
		// The library makes a request of its own for no account, and forgets to show a token.
		content := must(os.ReadFile(stage.build(stage.provider.token(nil), "")))
		found := must(authidtoken.NewCredentials(&authidtoken.Options{Audience: stage.ledger, CredentialsJSON: content}))
		stage.control.refuses("iamcredentials", "credential", func() {
			_, err := found.Token(short())
			raised(err, "impersonate: status code 401", "CREDENTIALS_MISSING")
		})
	})
	add(auth, "impersonate.NewIDTokenCredentials", "from a workload", func() {
		path := stage.build(stage.provider.token(nil), "")
		source := must(authcredentials.NewCredentialsFromFile(authcredentials.ExternalAccount, path,
			&authcredentials.DetectOptions{Scopes: []string{cloud}}))
		stage.control.allows("sts iamcredentials", func() {
			found := must(impersonate.NewIDTokenCredentials(&impersonate.IDTokenOptions{
				Audience: stage.ledger, TargetPrincipal: stage.deployer, IncludeEmail: true, Credentials: source,
			}))
			stage.ofDeployer(must(found.Token(short())).Value, stage.ledger)
		})
	})

	// What the verifiers say.
	token := func(audience string) string {
		file := option.WithAuthCredentialsFile(option.ServiceAccount, stage.key)
		source := must(idtoken.NewTokenSource(context.Background(), audience, file))
		return must(source.Token()).AccessToken
	}
	validate := func(token, audience string) error {
		_, err := idtoken.Validate(short(), token, audience)
		return err
	}
	add(api, "idtoken.Validate", "ID token of a key", func() {
		payload := must(idtoken.Validate(short(), token("client-7"), "client-7"))
		equal(payload.Claims["email"], any(stage.deployer), "the e-mail that was verified")
	})
	add(auth, "idtoken.Validate", "ID token of a key", func() {
		payload := must(authidtoken.Validate(short(), token("client-7"), "client-7"))
		equal(payload.Claims["email"], any(stage.deployer), "the e-mail that was verified")
	})
	add(api, "idtoken.Validate", "other audience", func() {
		raised(validate(token("client-7"), "client-8"), "audience provided does not match aud claim in the JWT")
	})
	add(api, "idtoken.Validate", "changed signature", func() {
		parts := strings.Split(token("client-7"), ".")
		parts[2] = parts[2][4:] + parts[2][:4]
		raised(validate(strings.Join(parts, "."), "client-7"), "crypto/rsa: verification error")
	})
	add(api, "idtoken.Validate", "not Google's", func() {
		foreign := stage.provider.token(claims{"iss": "https://accounts.google.com", "aud": "client-7"})
		raised(validate(foreign, "client-7"), "could not find matching cert keyId for the token provided")
	})
	return all
}

// A file of type `impersonated_service_account`, as gcloud writes it for application-default login.
func impersonatedFile(stage *stage) string {
	source := map[string]any{}
	need(json.Unmarshal(must(os.ReadFile(stage.key)), &source) == nil, "the key file is no JSON")
	url := "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" + stage.deployer + ":generateAccessToken"
	config := map[string]any{
		"type":                              "impersonated_service_account",
		"service_account_impersonation_url": url,
		"source_credentials":                source,
		"delegates":                         []string{},
	}
	path := stage.path("impersonated.json")
	write(path, string(must(json.Marshal(config))))
	return path
}

// Status of the service for a token, by HTTP.
func statusOf(url, token string) int {
	status, _ := send(http.DefaultClient, http.MethodGet, url+"/entries", token, nil)
	return status
}
