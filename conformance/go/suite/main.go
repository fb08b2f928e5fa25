// Command suite runs Google's own Go modules through federation, impersonation and Cloud Run, and through ways to be
// refused.
//
// Started inside `tokenrig exec`: from there on it knows only Google's host names, and the rig's control address to see
// why a request was refused. Each case is one line of JSON on stdout; the exit code is 1 when a case failed.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
)

// One thing that a client does. `client` is the module that is tried, `path` the way that it takes.
type trial struct {
	client, path, name string
	run                func()
}

const (
	auth = "cloud.google.com/go/auth"
	iam  = "cloud.google.com/go/iam"
	api  = "google.golang.org/api"

	schedulerModule = "cloud.google.com/go/scheduler"
	tasksModule     = "cloud.google.com/go/cloudtasks"
)

var themes = []func(*stage) []trial{walkThrough, federation, idTokens, accessTokens, schedulerJobs, cloudTasks, refusals}

func main() {
	folder, err := os.MkdirTemp("", "tokenrig-go-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	failures := 0
	why, place := whyNot(func() {
		stage := set(folder)
		for _, theme := range themes {
			for _, one := range theme(stage) {
				failures += tell(one)
			}
		}
	})
	os.RemoveAll(folder)
	if why != "" {
		fmt.Fprintln(os.Stderr, why, place)
		os.Exit(3)
	}
	if failures > 0 {
		os.Exit(1)
	}
}

// Runs a case and prints its line; the number of failures.
func tell(one trial) int {
	why, place := whyNot(one.run)
	line := map[string]any{"client": one.client, "version": version(one.client), "path": one.path, "case": one.name}
	line["ok"], line["why"] = why == "", why+place
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
	if why != "" {
		return 1
	}
	return 0
}

// Why a case failed, and if it was no expectation, where. Whatever a library panics with is a result of its case, and not
// the end of the suite.
func whyNot(run func()) (why, place string) {
	defer func() {
		switch caught := recover().(type) {
		case nil:
		case failure:
			why = string(caught)
		default:
			why, place = fmt.Sprint(caught), "\n"+string(debug.Stack())
		}
	}()
	run()
	return "", ""
}

func version(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return dependency.Version
		}
	}
	return "unknown"
}
