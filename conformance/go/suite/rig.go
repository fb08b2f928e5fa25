package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/httptransport"
)

const (
	region = "us-central1"
	cloud  = "https://www.googleapis.com/auth/cloud-platform"
	// Names a file of credentials.
	credentialsVariable = "GOOGLE_APPLICATION_CREDENTIALS"
	executablesVariable = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"
)

// The owner of the project, which is what default credentials are.
type owner struct {
	client          *http.Client
	project, number string
}

func findOwner() *owner {
	detect := &credentials.DetectOptions{Scopes: []string{cloud}}
	found := must(credentials.DetectDefault(detect))
	client := must(httptransport.NewClient(&httptransport.Options{Credentials: found}))
	one := &owner{client: client, project: must(found.ProjectID(context.Background()))}
	one.number = one.get("https://cloudresourcemanager.googleapis.com/v1/projects/" + one.project)["projectNumber"].(string)
	return one
}

func (one *owner) get(url string) map[string]any {
	return one.ask(http.MethodGet, url, nil)
}

func (one *owner) ask(method, url string, body any) map[string]any {
	status, text := send(one.client, method, url, "", body)
	need(status == http.StatusOK, "%s %s answered %d %s", method, url, status, text)
	answer := map[string]any{}
	need(json.Unmarshal([]byte(text), &answer) == nil, "%s %s answered %s", method, url, text)
	return answer
}

// The URL of a Cloud Run service.
func (one *owner) service(name string) string {
	path := fmt.Sprintf("projects/%s/locations/%s/services/%s", one.project, region, name)
	return one.get("https://run.googleapis.com/v2/" + path)["uri"].(string)
}

func (one *owner) email(account string) string {
	return account + "@" + one.project + ".iam.gserviceaccount.com"
}

// Sends a request, with a bearer token if there is one, and a body as JSON; gives status and text.
func send(client *http.Client, method, url, token string, body any) (int, string) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(must(json.Marshal(body)))
	}
	request := must(http.NewRequest(method, url, reader))
	if body != nil {
		request.Header.Set("content-type", "application/json")
	}
	if token != "" {
		request.Header.Set("authorization", "Bearer "+token)
	}
	response := must(client.Do(request))
	defer response.Body.Close()
	return response.StatusCode, string(must(io.ReadAll(response.Body)))
}

// The rig's control address: what it decided since the last look.
type control struct {
	url  string
	seen int
}

type decision struct {
	Seq     int
	Surface string
	Checks  []struct {
		Name string
		OK   bool
	}
}

// The surface and the check that gave the answer of a refusal.
func (one decision) refusal() (string, bool) {
	for _, check := range one.Checks {
		if !check.OK {
			return one.Surface + " " + check.Name, true
		}
	}
	return "", false
}

// The decisions since the last look.
func (one *control) fresh() []decision {
	_, text := send(http.DefaultClient, http.MethodGet, fmt.Sprintf("%s/decisions?since=%d", one.url, one.seen), "", nil)
	var answer struct{ Decisions []decision }
	need(json.Unmarshal([]byte(text), &answer) == nil, "the control address answered %s", text)
	for _, made := range answer.Decisions {
		one.seen = max(one.seen, made.Seq)
	}
	return answer.Decisions
}

func refusalsOf(made []decision) []string {
	var all []string
	for _, one := range made {
		if refusal, refused := one.refusal(); refused {
			all = append(all, refusal)
		}
	}
	return all
}

// What `work` does is refused at `surface`, and `check` is the reason.
func (one *control) refuses(surface, check string, work func()) {
	one.fresh()
	work()
	refused := refusalsOf(one.fresh())
	need(slices.Contains(refused, surface+" "+check), "the rig refused for %v, not for %s %s", refused, surface, check)
}

// What `work` does passes these surfaces, in this order, and nothing is refused.
func (one *control) allows(surfaces string, work func()) {
	one.fresh()
	work()
	made := one.fresh()
	equal(refusalsOf(made), nil, "what the rig refused")
	rest := made
	for _, surface := range strings.Fields(surfaces) {
		at := slices.IndexFunc(rest, func(made decision) bool { return made.Surface == surface })
		need(at >= 0, "%s was not asked: %v", surface, made)
		rest = rest[at+1:]
	}
}

// Runs `work` with another variable; an empty value takes it away.
func with(name, value string, work func()) {
	before, was := os.LookupEnv(name)
	put := func(value string) {
		if value == "" {
			os.Unsetenv(name)
		} else {
			os.Setenv(name, value)
		}
	}
	put(value)
	defer func() {
		if was {
			put(before)
		} else {
			os.Unsetenv(name)
		}
	}()
	work()
}
