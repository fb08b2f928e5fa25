package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// One run of the walk-through's client: what differs from the good one, and what must come of it.
type row struct {
	name, subject, isadmin, audience string
	// Empty: the service answers. Otherwise the surface and check that say no, and words that stderr must hold.
	surface, check string
	words          []string
}

const conditionWords = "The given credential is rejected by the attribute condition."

var rows = []row{
	{name: "the private service answers"},
	{
		name: "ID token for another audience", audience: "https://billing.example.com",
		surface: "cloud-run-front", check: "audience", words: []string{"401", `Bearer error="invalid_token"`},
	},
	{
		name: "attribute condition not met", isadmin: "false",
		surface: "sts", check: "condition", words: []string{"unauthorized_client", conditionWords},
	},
	{
		name: "subject without the role", subject: "bob@domain.com",
		surface: "iamcredentials", check: "permission",
		words: []string{"Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource"},
	},
}

// The walk-through "Authenticating using Workload Identity Federation to Cloud Run, Cloud Functions", by the command
// `call`. Its resources are `fixtures/seeds/000.given.yaml`. The client is a process of its own, as it would be for its
// user.
func walkThrough(stage *stage) []trial {
	trust := readProvider(stage.owner, "oidc-pool-run", "oidc-provider-1")
	service, account := stage.owner.service("federated-auth-cloud-run"), stage.owner.email("oidc-federated")
	run := func(row row, wire string) (int, string, string) {
		subject, isadmin, audience := row.subject, row.isadmin, row.audience
		if subject == "" {
			subject = "alice@domain.com"
		}
		if isadmin == "" {
			isadmin = "true"
		}
		if audience == "" {
			audience = service
		}
		name, _, _ := strings.Cut(subject, "@")
		token := trust.token(claims{
			"name": name, "isadmin": isadmin, "mygroups": []string{"group1", "group2"}, "sub": subject,
			"email": subject, "email_verified": true,
		})
		file := trust.file(stage.path("sts-creds.json"), stage.textFile(token), "", nil)
		// It is built beside the suite.
		program := filepath.Join(filepath.Dir(must(os.Executable())), "call-by-go")
		command := exec.Command(program, service+"/dump", account, audience, wire)
		command.Env = append(os.Environ(), credentialsVariable+"="+file)
		var stdout, stderr bytes.Buffer
		command.Stdout, command.Stderr = &stdout, &stderr
		_ = command.Run()
		return command.ProcessState.ExitCode(), stdout.String(), stderr.String()
	}
	passes := func(row row, wire string) {
		stage.control.allows("sts iamcredentials cloud-run-front", func() {
			code, stdout, stderr := run(row, wire)
			equal(code, 0, "the exit code ("+stderr+")")
			var received struct {
				Path    string
				Headers map[string]string
			}
			need(json.Unmarshal([]byte(stdout), &received) == nil, "it printed %s", stdout)
			equal(received.Path, "/dump", "the path that the service saw")
			hidden := strings.HasSuffix(received.Headers["authorization"], "SIGNATURE_REMOVED_BY_GOOGLE")
			need(hidden, "the service was shown the signature of the ID token")
		})
	}
	fails := func(row row, wire string) {
		stage.control.refuses(row.surface, row.check, func() {
			code, stdout, stderr := run(row, wire)
			equal(code, 1, "the exit code ("+stdout+stderr+")")
			for _, words := range row.words {
				need(strings.Contains(stderr, words), "`%s` is not in what the client says: %s", words, stderr)
			}
		})
	}
	all := []trial{{api, "no credentials", "nobody gets in without a token", func() {
		stage.control.refuses("cloud-run-front", "credential", func() {
			status, _ := send(http.DefaultClient, http.MethodGet, service, "", nil)
			equal(status, http.StatusForbidden, "the status")
		})
	}}}
	for _, wire := range []string{"grpc", "rest"} {
		for _, row := range rows {
			judge := passes
			if row.surface != "" {
				judge = fails
			}
			path := map[string]string{"grpc": "walk-through, gRPC", "rest": "walk-through, REST"}[wire]
			all = append(all, trial{iam, path, row.name, func() { judge(row, wire) }})
		}
	}
	return all
}
