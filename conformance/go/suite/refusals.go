package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	authlib "cloud.google.com/go/auth"
	authcredentials "cloud.google.com/go/auth/credentials"
	authidtoken "cloud.google.com/go/auth/credentials/idtoken"
	"cloud.google.com/go/auth/credentials/impersonate"
	"cloud.google.com/go/iam/credentials/apiv1/credentialspb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	targetWords = `The target service indicated by the "audience" parameters is invalid. This might either be because the pool or ` +
		`provider is disabled or deleted or because it doesn't exist.`
	noAccessToken = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
	noIDToken     = "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource (or it may not exist)."
)

// Refusals by STS, IAM Credentials, oauth2 and Cloud Run, as the modules tell them.
func refusals(stage *stage) []trial {
	var all []trial
	add := func(client, path, name string, run func()) { all = append(all, trial{client, path, name, run}) }
	ask := func(kind authcredentials.CredType, path string) error {
		options := &authcredentials.DetectOptions{Scopes: []string{cloud}}
		found, err := authcredentials.NewCredentialsFromFile(kind, path, options)
		if err == nil {
			_, err = found.Token(short())
		}
		return err
	}

	// STS: the library passes on the body of the answer.
	exchange := func(name, check string, token func() string, trust provider, code, words string) {
		add(auth, "refused by STS", name, func() {
			path := trust.file(stage.path("credentials.json"), stage.textFile(token()), "", nil)
			stage.control.refuses("sts", check, func() {
				raised(ask(authcredentials.ExternalAccount, path), "status code 400", fmt.Sprintf("%q", code), inside(words))
			})
		})
	}
	changed := func(changes claims) func() string { return func() string { return stage.provider.token(changes) } }
	exchange("attribute condition not met", "condition", changed(claims{"branch": "topic"}), stage.provider,
		"unauthorized_client", conditionWords)
	exchange("no subject", "mapping", changed(claims{"sub": nil}), stage.provider,
		"unauthorized_client", "Could not obtain a value for google.subject from the given credential.")
	exchange("other audience", "token-audience", changed(claims{"aud": "https://elsewhere.example"}), stage.provider,
		"invalid_grant", "The audience in ID Token [https://elsewhere.example] does not match the expected audience.")
	issued := time.Now().Unix() - 7200
	exchange("expired subject token", "times", changed(claims{"iat": issued, "exp": issued + 3600}), stage.provider,
		"invalid_grant", fmt.Sprintf("ID Token issued at %d is stale to sign-in.", issued))
	exchange("wrong key", "signature", func() string { return forged(stage.provider.token(nil)) }, stage.provider,
		"invalid_grant", "Unable to verify the ID Token signature.")
	exchange("disabled provider", "provider", func() string { return stage.closed.token(nil) }, stage.closed,
		"invalid_target", targetWords)
	unknown := provider{name: stage.provider.name + "-2", issuer: stage.provider.issuer}
	exchange("unknown provider", "provider", func() string { return unknown.token(nil) }, unknown, "invalid_target", targetWords)

	// IAM Credentials, by the generated client.
	for _, wire := range wires {
		refused := func(name, check, file string, change func(*credentialspb.GenerateAccessTokenRequest), code codes.Code, words string) {
			add(iam, "refused by IAM Credentials, "+wire.name, name, func() {
				if file == "" {
					file = stage.build(stage.provider.token(claims{"sub": "nightly"}), "")
				}
				with(credentialsVariable, file, func() {
					client := must(wire.open(context.Background()))
					defer client.Close()
					request := &credentialspb.GenerateAccessTokenRequest{
						Name: "projects/-/serviceAccounts/" + stage.deployer, Scope: []string{cloud},
					}
					change(request)
					stage.control.refuses("iamcredentials", check, func() {
						_, err := client.GenerateAccessToken(short(), request)
						raised(err, words)
						if wire.name == "gRPC" {
							equal(status.Code(err), code, "the code")
						}
					})
				})
			})
		}
		refused("no permission", "permission", "", func(*credentialspb.GenerateAccessTokenRequest) {}, codes.PermissionDenied, noAccessToken)
		refused("lifetime over an hour", "request", stage.key, func(request *credentialspb.GenerateAccessTokenRequest) {
			request.Lifetime = durationpb.New(2 * time.Hour)
		}, codes.InvalidArgument, "can not have lifetimes of more than 1 hour")
		refused("a scope that is none", "request", stage.key, func(request *credentialspb.GenerateAccessTokenRequest) {
			request.Scope = []string{stage.ledger}
		}, codes.InvalidArgument, "Request contains an invalid argument.")
		add(iam, "refused by STS, "+wire.name, "attribute condition not met", func() {
			file := stage.build(stage.provider.token(claims{"branch": "topic"}), "")
			with(credentialsVariable, file, func() {
				client := must(wire.open(context.Background()))
				defer client.Close()
				stage.control.refuses("sts", "condition", func() {
					request := &credentialspb.GenerateIdTokenRequest{
						Name: "projects/-/serviceAccounts/" + stage.deployer, Audience: "x",
					}
					_, err := client.GenerateIdToken(short(), request)
					raised(err, "unauthorized_client", conditionWords)
				})
			})
		})
	}
	add(auth, "refused by IAM Credentials", "workload may not act as the account", func() {
		file := stage.build(stage.provider.token(claims{"sub": "nightly"}), stage.deployer)
		stage.control.refuses("iamcredentials", "permission", func() {
			raised(ask(authcredentials.ExternalAccount, file), "status code 403", noAccessToken)
		})
	})
	add(auth, "refused by IAM Credentials", "ID token of another account", func() {
		options := &authcredentials.DetectOptions{Scopes: []string{cloud}}
		source := must(authcredentials.NewCredentialsFromFile(authcredentials.ServiceAccount, stage.key, options))
		stage.control.refuses("iamcredentials", "permission", func() {
			found := must(impersonate.NewIDTokenCredentials(&impersonate.IDTokenOptions{
				Audience: stage.ledger, TargetPrincipal: stage.stranger, Credentials: source,
			}))
			_, err := found.Token(short())
			raised(err, "403", noIDToken)
		})
	})

	// oauth2: a key that has gone or is not the account's.
	assertion := func(name, check string, key func() map[string]any, words string) {
		add(auth, "refused by oauth2", name, func() {
			path := stage.path("key.json")
			write(path, string(must(json.Marshal(key()))))
			stage.control.refuses("oauth2-token", check, func() {
				raised(ask(authcredentials.ServiceAccount, path), "invalid_grant", words)
			})
		})
	}
	read := func(path string) map[string]any {
		found := map[string]any{}
		need(json.Unmarshal(must(os.ReadFile(path)), &found) == nil, "%s is no JSON", path)
		return found
	}
	assertion("deleted key", "signature", func() map[string]any {
		key := read(stage.newKey(stage.deployer))
		name := fmt.Sprintf("projects/-/serviceAccounts/%s/keys/%s", stage.deployer, key["private_key_id"])
		stage.owner.ask(http.MethodDelete, "https://iam.googleapis.com/v1/"+name, nil)
		return key
	}, "Invalid JWT Signature.")
	assertion("wrong key", "signature", func() map[string]any {
		key := read(stage.key)
		key["private_key"] = read(stage.newKey(stage.stranger))["private_key"]
		return key
	}, "Invalid JWT Signature.")
	assertion("unknown account", "account", func() map[string]any {
		key := read(stage.key)
		key["client_email"] = stage.owner.email("nobody-2")
		return key
	}, "Invalid grant: account not found")

	// Cloud Run: the same token by HTTP and by gRPC, where the refusal is a page, and a code that gRPC makes of its status.
	door := func(name, check string, token func() string, wanted int, code codes.Code) {
		add(api, "refused by Cloud Run, HTTP and gRPC", name, func() {
			shown := token()
			stage.control.refuses("cloud-run-front", check, func() {
				equal(statusOf(stage.ledger, shown), wanted, "the status")
			})
			stage.control.refuses("cloud-run-front", check, func() {
				equal(status.Code(call(stage.ledger, shown)), code, "the code by gRPC")
			})
		})
	}
	idToken := func(path, audience string) string {
		content := must(os.ReadFile(path))
		return value(must(authidtoken.NewCredentials(&authidtoken.Options{Audience: audience, CredentialsJSON: content})))
	}
	door("ID token for another audience", "audience", func() string {
		return idToken(stage.key, "https://elsewhere.example")
	}, http.StatusUnauthorized, codes.Unauthenticated)
	door("account without invoker", "permission", func() string {
		return idToken(stage.newKey(stage.stranger), stage.ledger)
	}, http.StatusForbidden, codes.PermissionDenied)
	door("no token", "credential", func() string { return "" }, http.StatusForbidden, codes.PermissionDenied)
	door("access token", "credential", func() string {
		options := &authcredentials.DetectOptions{Scopes: []string{cloud}}
		return value(must(authcredentials.NewCredentialsFromFile(authcredentials.ServiceAccount, stage.key, options)))
	}, http.StatusUnauthorized, codes.Unauthenticated)
	return all
}

func value(found *authlib.Credentials) string {
	return must(found.Token(short())).Value
}

// Text as it stands inside of a JSON string.
func inside(words string) string {
	text := string(must(json.Marshal(words)))
	return text[1 : len(text)-1]
}
