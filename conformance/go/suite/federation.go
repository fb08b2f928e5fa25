package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	authcredentials "cloud.google.com/go/auth/credentials"
	iamcredentials "cloud.google.com/go/iam/credentials/apiv1"
	"cloud.google.com/go/iam/credentials/apiv1/credentialspb"
)

// The two wires of the generated client.
var wires = []struct {
	name string
	open func(context.Context) (*iamcredentials.IamCredentialsClient, error)
}{
	{"gRPC", func(ctx context.Context) (*iamcredentials.IamCredentialsClient, error) {
		return iamcredentials.NewIamCredentialsClient(ctx)
	}},
	{"REST", func(ctx context.Context) (*iamcredentials.IamCredentialsClient, error) {
		return iamcredentials.NewIamCredentialsRESTClient(ctx)
	}},
}

// Federation by credential file: every source of subject tokens, with and without impersonation, over both wires. Each
// ends with an ID token of the deployer, asked for with Application Default Credentials, and with the service that it
// opens, called by HTTP and by gRPC.
func federation(stage *stage) []trial {
	token := func() string { return stage.provider.token(nil) }
	audience := "//iam.googleapis.com/" + stage.provider.name
	sources := []struct {
		name string
		make func() map[string]any
	}{
		{"file, text", func() map[string]any { return stage.textFile(token()) }},
		{"file, JSON", func() map[string]any { return stage.jsonFile(token()) }},
		{"url, text", func() map[string]any { return stage.url("text", token()) }},
		{"url, JSON", func() map[string]any { return stage.url("json", token()) }},
		{"executable", func() map[string]any { return stage.executable(token(), audience, "") }},
	}
	file := func(source map[string]any, impersonate bool, more map[string]any) string {
		account := ""
		if impersonate {
			account = stage.deployer
		}
		return stage.provider.file(stage.path("credentials.json"), source, account, more)
	}
	var all []trial
	for _, wire := range wires {
		for _, how := range []string{"federated", "impersonated"} {
			surfaces := map[string]string{"federated": "sts iamcredentials", "impersonated": "sts iamcredentials iamcredentials"}[how]
			for _, source := range sources {
				all = append(all, trial{iam, how + " workload, " + wire.name, "ID token and service, " + source.name, func() {
					path := file(source.make(), how == "impersonated", nil)
					var idToken string
					work := func() { idToken = generate(stage, wire.open) }
					with(credentialsVariable, path, func() {
						with(executablesVariable, "1", func() { stage.control.allows(surfaces, work) })
					})
					stage.ofDeployer(idToken, stage.ledger)
					stage.control.allows("cloud-run-front cloud-run-front", func() {
						byHTTP(http.DefaultClient, stage.ledger, idToken)
						byGRPC(stage.ledger, idToken)
					})
				}})
			}
		}
	}

	detect := func(path string) (string, time.Time, error) {
		found, err := authcredentials.NewCredentialsFromFile(authcredentials.ExternalAccount, path,
			&authcredentials.DetectOptions{Scopes: []string{cloud}})
		if err != nil {
			return "", time.Time{}, err
		}
		got, err := found.Token(short())
		if err != nil {
			return "", time.Time{}, err
		}
		return got.Value, got.Expiry, nil
	}
	add := func(path, name string, run func()) { all = append(all, trial{auth, path, name, run}) }
	add("default credentials, impersonated", "lifetime of 20 minutes", func() {
		more := map[string]any{"service_account_impersonation": map[string]any{"token_lifetime_seconds": 1200}}
		_, expiry, err := detect(file(stage.textFile(token()), true, more))
		need(err == nil, "the client gave up: %v", err)
		left := time.Until(expiry).Seconds()
		need(1190 <= left && left <= 1201, "the access token has %v seconds, not 1200", left)
	})
	add("executable source", "what it has left behind", func() {
		// What an earlier run of the command has left in its output file is used, and the command is not run.
		output := stage.path("answer.json")
		left := map[string]any{"version": 1, "success": true, "token_type": jwtType, "id_token": token(), "expiration_time": time.Now().Unix() + 600}
		write(output, string(must(json.Marshal(left))))
		path := file(stage.executable("not a token", "nobody's", output), false, nil)
		with(executablesVariable, "1", func() {
			stage.control.allows("sts", func() {
				_, _, err := detect(path)
				need(err == nil, "the client gave up: %v", err)
			})
		})
	})
	add("executable source", "the command says no", func() {
		path := file(stage.executable(token(), "another-audience", ""), false, nil)
		with(executablesVariable, "1", func() {
			_, _, err := detect(path)
			raised(err, "401", "asked for another audience")
		})
	})
	add("executable source", "not allowed by the environment", func() {
		with(executablesVariable, "", func() {
			_, _, err := detect(file(stage.executable(token(), audience, ""), false, nil))
			raised(err, "executables need to be explicitly allowed")
		})
	})
	add("url source", "without the header", func() {
		source := stage.url("text", token())
		delete(source, "headers")
		_, _, err := detect(file(source, false, nil))
		raised(err, "403")
	})
	return all
}

// An ID token of the deployer for the ledger, by the generated client with Application Default Credentials.
func generate(stage *stage, open func(context.Context) (*iamcredentials.IamCredentialsClient, error)) string {
	client := must(open(context.Background()))
	defer client.Close()
	answer := must(client.GenerateIdToken(short(), &credentialspb.GenerateIdTokenRequest{
		Name:         fmt.Sprintf("projects/-/serviceAccounts/%s", stage.deployer),
		Audience:     stage.ledger,
		IncludeEmail: true,
	}))
	return answer.Token
}
