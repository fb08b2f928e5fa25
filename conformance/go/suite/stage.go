package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What all cases stand on: the owner, the rig's control address, a workload, and a folder for files.
type stage struct {
	folder                          string
	files                           int
	owner                           *owner
	control                         *control
	provider, closed                provider
	ledger, deployer, stranger, key string
	printToken                      string
	served                          string
	server                          *httptest.Server
}

const secretHeader, secret = "X-Build-Secret", "let me in"

func set(folder string) *stage {
	one := &stage{folder: folder, owner: findOwner(), control: &control{url: os.Getenv("TOKENRIG_URL")}}
	one.provider = readProvider(one.owner, "build", "trusted")
	one.closed = readProvider(one.owner, "build", "closed")
	one.ledger = one.owner.service("ledger")
	one.deployer, one.stranger = one.owner.email("deployer"), one.owner.email("stranger")
	one.key = one.newKey(one.deployer)
	// The suite is started in the workspace.
	one.printToken = must(filepath.Abs("conformance/print-token.sh"))
	// Gives the subject token to whoever knows the secret header: `/text` the bare token, else an object that holds it.
	one.server = httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.Header.Get(secretHeader) != secret {
			writer.WriteHeader(http.StatusForbidden)
		} else if request.URL.Path == "/text" {
			fmt.Fprint(writer, one.served)
		} else {
			fmt.Fprint(writer, inJSON(one.served))
		}
	}))
	return one
}

// A path of its own for a file of this name.
func (one *stage) path(name string) string {
	one.files++
	folder := filepath.Join(one.folder, fmt.Sprint(one.files))
	need(os.Mkdir(folder, 0o700) == nil, "cannot make %s", folder)
	return filepath.Join(folder, name)
}

// The file of a new key of an account, as the IAM API gives it.
func (one *stage) newKey(account string) string {
	url := "https://iam.googleapis.com/v1/projects/-/serviceAccounts/" + account + "/keys"
	data := one.owner.ask(http.MethodPost, url, map[string]any{})["privateKeyData"].(string)
	path := one.path("key.json")
	write(path, string(must(base64.StdEncoding.DecodeString(data))))
	return path
}

// The credential file of a build, whose subject token stands in a file.
func (one *stage) build(token, impersonate string) string {
	return one.provider.file(one.path("credentials.json"), one.textFile(token), impersonate, nil)
}

var jsonFormat = map[string]any{"type": "json", "subject_token_field_name": "oidc_token"}

func inJSON(token string) string {
	return string(must(json.Marshal(map[string]string{"build": "7", "oidc_token": token})))
}

// With the line break that most tools leave behind.
func (one *stage) textFile(token string) map[string]any {
	path := one.path("token.txt")
	write(path, token+"\n")
	return map[string]any{"file": path}
}

func (one *stage) jsonFile(token string) map[string]any {
	path := one.path("token.json")
	write(path, inJSON(token))
	return map[string]any{"file": path, "format": jsonFormat}
}

func (one *stage) url(form, token string) map[string]any {
	one.served = token
	source := map[string]any{"url": one.server.URL + "/" + form, "headers": map[string]any{secretHeader: secret}}
	if form == "json" {
		source["format"] = jsonFormat
	}
	return source
}

// A command that gives the token, but only for `audience`.
func (one *stage) executable(token, audience, output string) map[string]any {
	path := one.path("token.txt")
	write(path, token)
	command := strings.Join([]string{one.printToken, path, audience}, " ")
	options := map[string]any{"command": command, "timeout_millis": 5000}
	if output != "" {
		options["output_file"] = output
	}
	return map[string]any{"executable": options}
}

// An ID token must be the deployer's, with e-mail, for `audience`.
func (one *stage) ofDeployer(token, audience string) {
	found := open(token)
	wanted := claims{"iss": "https://accounts.google.com", "email": one.deployer, "email_verified": true, "aud": audience}
	for name, value := range wanted {
		equal(found[name], value, "the claim "+name)
	}
}

// Time for one case: a refusal that looks like an outage would be asked again for long.
func short() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Second, cancel)
	return ctx
}
