package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/api/option"
)

// What an application of its own lets in.
const application = "https://application.example.com"

// How an attempt of the rig went, which stood for a job or a task.
type attempt struct {
	Resource, Ended, Method string
	Status                  int
	Headers                 map[string]string
	Token                   struct{ Claims claims }
}

// The first attempt for a job or a task, once it has ended: the rig makes it as its clock runs.
func (one *control) attempted(resource string) attempt {
	for look := 0; look < 200; look++ {
		_, text := send(http.DefaultClient, http.MethodGet, one.url+"/attempts", "", nil)
		var answer struct{ Attempts []attempt }
		need(json.Unmarshal([]byte(text), &answer) == nil, "the control address answered %s", text)
		for _, made := range answer.Attempts {
			if made.Resource == resource && made.Ended != "" {
				return made
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	need(false, "%s was not attempted", resource)
	return attempt{}
}

// Starts the application of `verifier`, which calls idtoken.Validate and is built beside the suite. `work` gets its URL.
func verifying(account string, work func(url string)) {
	program := filepath.Join(filepath.Dir(must(os.Executable())), "verifier-by-go")
	command := exec.Command(program, application, account)
	command.Stderr = os.Stderr
	out := must(command.StdoutPipe())
	need(command.Start() == nil, "%s does not start", program)
	defer func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	}()
	port := must(bufio.NewReader(out).ReadString('\n'))
	work("http://127.0.0.1:" + strings.TrimSpace(port) + "/called")
}

// By name the suite runs in a network of its own: the rig reaches nothing that listens there.
func reachable() bool {
	return os.Getenv("HTTPS_PROXY") != ""
}

// What makes a client of one wire.
type opener[C any] func(ctx context.Context, options ...option.ClientOption) (C, error)

// A wire, and what makes the client of it. Both clients have the same methods.
type way[C any] struct {
	wire string
	open opener[C]
}

func bothWays[C any](grpc, rest opener[C]) []way[C] {
	return []way[C]{{"gRPC", grpc}, {"REST", rest}}
}
