package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	cloudtasks "cloud.google.com/go/cloudtasks/apiv2"
	pb "cloud.google.com/go/cloudtasks/apiv2/cloudtaskspb"
	"google.golang.org/api/option"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Cloud Tasks by its own client, over one wire.
type tasks struct {
	stage         *stage
	open          opener[*cloudtasks.Client]
	client        *cloudtasks.Client
	parent, queue string
}

func cloudTasks(stage *stage) []trial {
	parent := "projects/" + stage.owner.project + "/locations/" + region
	var all []trial
	for _, way := range bothWays(cloudtasks.NewClient, cloudtasks.NewRESTClient) {
		wire, open := way.wire, way.open
		queue := parent + "/queues/go-" + strings.ToLower(wire)
		one := &tasks{stage: stage, open: open, client: must(open(context.Background())), parent: parent, queue: queue}
		add := func(name string, run func()) {
			all = append(all, trial{tasksModule, "Cloud Tasks, " + wire, name, run})
		}
		add("a queue is made", one.created)
		add("a task opens a private service", one.delivered)
		add("a task with a token for another audience is refused", one.refused)
		add("a task that is due later is seen, run and purged", one.scheduled)
		add("a malformed task is refused in Google's words", one.malformed)
		add("a stranger is refused", one.denied)
		if reachable() {
			add("an application that calls idtoken.Validate lets in its own tokens only", one.verified)
		}
		add("a queue is deleted", one.deleted)
	}
	walk := func(name, account, audience string, status int) {
		run := func() { enqueued(stage, parent+"/queues/walk-through", account, audience, status) }
		all = append(all, trial{tasksModule, "Cloud Tasks, walk-through", name, run})
	}
	walk("its program lets a task call a private service", stage.deployer, stage.ledger, http.StatusOK)
	walk("a task with a token for another audience is refused", stage.deployer, "https://other.example.com", http.StatusUnauthorized)
	walk("a task as somebody whom the service does not let in is refused", stage.stranger, stage.ledger, http.StatusForbidden)
	return all
}

func (one *tasks) task(url, audience string) *pb.Task {
	request := &pb.HttpRequest{Url: url, HttpMethod: pb.HttpMethod_POST, Body: []byte(`{"order": 17}`)}
	request.Headers = map[string]string{"Content-Type": "application/json"}
	if audience != "" {
		token := &pb.OidcToken{ServiceAccountEmail: one.stage.deployer, Audience: audience}
		request.AuthorizationHeader = &pb.HttpRequest_OidcToken{OidcToken: token}
	}
	return &pb.Task{MessageType: &pb.Task_HttpRequest{HttpRequest: request}}
}

func (one *tasks) create(task *pb.Task) (*pb.Task, error) {
	return one.client.CreateTask(short(), &pb.CreateTaskRequest{Parent: one.queue, Task: task})
}

func (one *tasks) delete(name string) {
	err := one.client.DeleteTask(short(), &pb.DeleteTaskRequest{Name: name})
	need(err == nil, "%s is not deleted: %v", name, err)
}

func (one *tasks) created() {
	// Long enough to look at a task between two attempts.
	retry := &pb.RetryConfig{MinBackoff: durationpb.New(time.Minute)}
	queue := &pb.Queue{Name: one.queue, RetryConfig: retry}
	made := must(one.client.CreateQueue(short(), &pb.CreateQueueRequest{Parent: one.parent, Queue: queue}))
	equal(made.RateLimits.MaxConcurrentDispatches, 1000, "how many are dispatched at once")
	_, err := one.client.CreateQueue(short(), &pb.CreateQueueRequest{Parent: one.parent, Queue: queue})
	raised(err, "Queue already exists")
}

func (one *tasks) delivered() {
	task := must(one.create(one.task(one.stage.ledger+"/17", one.stage.ledger)))
	made := one.stage.control.attempted(task.Name)
	equal(made.Status, http.StatusOK, "the answer")
	equal[any](made.Token.Claims["email"], one.stage.deployer, "whose token went along")
	_, err := one.client.GetTask(short(), &pb.GetTaskRequest{Name: task.Name})
	raised(err, "The task no longer exists")
}

func (one *tasks) refused() {
	task := must(one.create(one.task(one.stage.ledger, "https://other.example.com")))
	equal(one.stage.control.attempted(task.Name).Status, http.StatusUnauthorized, "the answer")
	found := must(one.client.GetTask(short(), &pb.GetTaskRequest{Name: task.Name}))
	equal(found.LastAttempt.ResponseStatus.GetCode(), 16, "the status of the attempt")
	one.delete(task.Name)
}

func (one *tasks) scheduled() {
	task := one.task(one.stage.ledger, "")
	task.Name, task.ScheduleTime = one.queue+"/tasks/later", timestamppb.New(time.Now().Add(time.Hour))
	must(one.create(task))
	_, err := one.create(task)
	raised(err, "Requested entity already exists")
	basic := must(one.client.GetTask(short(), &pb.GetTaskRequest{Name: task.Name}))
	equal(len(basic.GetHttpRequest().Body), 0, "the length of the body in the basic view")
	full := must(one.client.GetTask(short(), &pb.GetTaskRequest{Name: task.Name, ResponseView: pb.Task_FULL}))
	equal(string(full.GetHttpRequest().Body), `{"order": 17}`, "the body in the full view")
	must(one.client.RunTask(short(), &pb.RunTaskRequest{Name: task.Name}))
	equal(one.stage.control.attempted(task.Name).Status, http.StatusForbidden, "the answer to a run without a token")
	must(one.client.PurgeQueue(short(), &pb.PurgeQueueRequest{Name: one.queue}))
	_, err = one.client.GetTask(short(), &pb.GetTaskRequest{Name: task.Name})
	raised(err, "The task no longer exists")
}

func (one *tasks) malformed() {
	_, err := one.create(one.task("ftp://example.com", ""))
	raised(err, "HttpTarget.url must start with 'http://' or 'https://'.")
	hurried := one.task(one.stage.ledger, "")
	hurried.DispatchDeadline = durationpb.New(time.Second)
	_, err = one.create(hurried)
	raised(err, "Task.dispatchDeadline must be between [15s, 30m].")
}

func (one *tasks) denied() {
	key := option.WithAuthCredentialsFile(option.ServiceAccount, one.stage.newKey(one.stage.stranger))
	stranger := must(one.open(short(), key))
	defer stranger.Close()
	_, err := stranger.CreateTask(short(), &pb.CreateTaskRequest{Parent: one.queue, Task: one.task(one.stage.ledger, "")})
	raised(err, "cloudtasks.tasks.create")
}

func (one *tasks) verified() {
	verifying(one.stage.deployer, func(url string) {
		own := must(one.create(one.task(url, application)))
		equal(one.stage.control.attempted(own.Name).Status, http.StatusNoContent, "the answer to its own")
		for _, wrong := range []string{url, ""} {
			task := must(one.create(one.task(url, wrong)))
			equal(one.stage.control.attempted(task.Name).Status, http.StatusUnauthorized, "the answer to a token for "+wrong)
			one.delete(task.Name)
		}
	})
}

func (one *tasks) deleted() {
	err := one.client.DeleteQueue(short(), &pb.DeleteQueueRequest{Name: one.queue})
	need(err == nil, "the queue is not deleted: %v", err)
	_, err = one.client.GetQueue(short(), &pb.GetQueueRequest{Name: one.queue})
	raised(err, "Queue does not exist.")
}

// The walk-through "Using Cloud Scheduler, Tasks, and PubSub to securely call Cloud Run", by the command `enqueue`.
func enqueued(stage *stage, queue, account, audience string, status int) {
	client := must(cloudtasks.NewClient(context.Background()))
	defer client.Close()
	retry := &pb.RetryConfig{MaxAttempts: 1}
	parent, _, _ := strings.Cut(queue, "/queues/")
	made := &pb.CreateQueueRequest{Parent: parent, Queue: &pb.Queue{Name: queue, RetryConfig: retry}}
	if _, err := client.CreateQueue(short(), made); err != nil {
		raised(err, "Queue already exists")
	}
	program := filepath.Join(filepath.Dir(must(os.Executable())), "enqueue-by-go")
	var stderr bytes.Buffer
	command := exec.Command(program, queue, stage.ledger+"/17", account, audience)
	command.Stderr = &stderr
	name, err := command.Output()
	need(err == nil, "it ended with %v: %s", err, stderr.String())
	attempt := stage.control.attempted(strings.TrimSpace(string(name)))
	equal(attempt.Status, status, "the answer")
	equal(attempt.Method, http.MethodGet, "the verb")
}
