package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	scheduler "cloud.google.com/go/scheduler/apiv1"
	pb "cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// Cloud Scheduler by its own client, over one wire.
type jobs struct {
	stage        *stage
	open         opener[*scheduler.CloudSchedulerClient]
	client       *scheduler.CloudSchedulerClient
	parent, name string
}

// Jobs that do not come while a suite runs, and are run by hand.
const yearly = "0 0 1 1 *"

func schedulerJobs(stage *stage) []trial {
	var all []trial
	for _, way := range bothWays(scheduler.NewCloudSchedulerClient, scheduler.NewCloudSchedulerRESTClient) {
		wire, open := way.wire, way.open
		parent := "projects/" + stage.owner.project + "/locations/" + region
		prefix := parent + "/jobs/go-" + strings.ToLower(wire) + "-"
		one := &jobs{stage: stage, open: open, client: must(open(context.Background())), parent: parent, name: prefix}
		add := func(name string, run func()) {
			all = append(all, trial{schedulerModule, "Cloud Scheduler, " + wire, name, run})
		}
		add("a job is made and listed", one.created)
		add("a job is changed where the mask says", one.updated)
		add("a job is paused and resumed, once each", one.paused)
		add("a job opens a private service", one.delivered)
		add("a job with a token for another audience is refused", one.refused)
		add("a job with an access token asks an API of Google", one.asksGoogle)
		add("a malformed job is refused in Google's words", one.malformed)
		add("a stranger is refused", one.denied)
		if reachable() {
			add("an application that calls idtoken.Validate lets in its own tokens only", one.verified)
		}
		add("jobs are deleted", one.deleted)
	}
	return all
}

func (one *jobs) job(id, uri, audience string) *pb.Job {
	target := &pb.HttpTarget{Uri: uri, HttpMethod: pb.HttpMethod_POST, Body: []byte(`{"order": 17}`)}
	if audience != "" {
		token := &pb.OidcToken{ServiceAccountEmail: one.stage.deployer, Audience: audience}
		target.AuthorizationHeader = &pb.HttpTarget_OidcToken{OidcToken: token}
	}
	return &pb.Job{Name: one.name + id, Schedule: yearly, Target: &pb.Job_HttpTarget{HttpTarget: target}}
}

func (one *jobs) create(job *pb.Job) (*pb.Job, error) {
	return one.client.CreateJob(short(), &pb.CreateJobRequest{Parent: one.parent, Job: job})
}

func (one *jobs) get(id string) *pb.Job {
	return must(one.client.GetJob(short(), &pb.GetJobRequest{Name: one.name + id}))
}

// The attempt of a job that somebody runs, once it has ended.
func (one *jobs) attempt(job *pb.Job) attempt {
	made := must(one.create(job))
	must(one.client.RunJob(short(), &pb.RunJobRequest{Name: made.Name}))
	return one.stage.control.attempted(made.Name)
}

func (one *jobs) list() []string {
	var names []string
	all := one.client.ListJobs(short(), &pb.ListJobsRequest{Parent: one.parent})
	for {
		job, err := all.Next()
		if errors.Is(err, iterator.Done) {
			return names
		}
		names = append(names, must(job, err).Name)
	}
}

func (one *jobs) created() {
	job := one.job("tick", one.stage.ledger, "")
	job.TimeZone = "Europe/Berlin"
	made := must(one.create(job))
	equal(made.State, pb.Job_ENABLED, "the state")
	equal(made.RetryConfig.MaxDoublings, 5, "the doublings")
	equal(made.ScheduleTime.AsTime().Month(), time.December, "the month of UTC in which Berlin's year begins")
	need(strings.Contains(strings.Join(one.list(), " "), made.Name), "it is not listed")
	_, err := one.create(job)
	raised(err, made.Name, "already exists")
}

func (one *jobs) updated() {
	job := &pb.Job{Name: one.name + "tick", Schedule: "every 24 hours", TimeZone: "UTC", Description: "not in the mask"}
	mask := &fieldmaskpb.FieldMask{Paths: []string{"schedule", "time_zone"}}
	made := must(one.client.UpdateJob(short(), &pb.UpdateJobRequest{Job: job, UpdateMask: mask}))
	equal([]string{made.Schedule, made.TimeZone, made.Description}, []string{"every 24 hours", "UTC", ""}, "what has changed")
	equal(made.GetHttpTarget().Uri, one.stage.ledger, "what has not")
}

func (one *jobs) paused() {
	name := one.name + "tick"
	pause := func() (*pb.Job, error) { return one.client.PauseJob(short(), &pb.PauseJobRequest{Name: name}) }
	resume := func() (*pb.Job, error) { return one.client.ResumeJob(short(), &pb.ResumeJobRequest{Name: name}) }
	equal(must(pause()).State, pb.Job_PAUSED, "the state")
	_, err := pause()
	raised(err, "ENABLED")
	equal(must(resume()).State, pb.Job_ENABLED, "the state")
	_, err = resume()
	raised(err, "PAUSED")
}

func (one *jobs) delivered() {
	made := one.attempt(one.job("good", one.stage.ledger+"/17", one.stage.ledger))
	equal(made.Status, http.StatusOK, "the answer")
	equal[any](made.Token.Claims["email"], one.stage.deployer, "whose token went along")
	equal(one.name+"good", one.parent+"/jobs/"+made.Headers["X-CloudScheduler-JobName"], "what tells of the job")
	equal(one.get("good").Status.GetCode(), 0, "the status of the last attempt")
}

func (one *jobs) refused() {
	made := one.attempt(one.job("wrong", one.stage.ledger, "https://other.example.com"))
	equal(made.Status, http.StatusUnauthorized, "the answer")
	equal(one.get("wrong").Status.GetCode(), 16, "the status of the last attempt")
}

func (one *jobs) asksGoogle() {
	job := one.job("google", "https://cloudresourcemanager.googleapis.com/v1/projects/"+one.stage.owner.project, "")
	target := &pb.HttpTarget{Uri: job.GetHttpTarget().Uri, HttpMethod: pb.HttpMethod_GET}
	token := &pb.OAuthToken{ServiceAccountEmail: one.stage.deployer}
	target.AuthorizationHeader = &pb.HttpTarget_OauthToken{OauthToken: token}
	job.Target = &pb.Job_HttpTarget{HttpTarget: target}
	made := one.attempt(job)
	equal(made.Status, http.StatusOK, "the answer")
	equal[any](made.Token.Claims["scope"], cloud, "the scope")
}

func (one *jobs) malformed() {
	refused := func(words string, change func(job *pb.Job)) {
		job := one.job("malformed", one.stage.ledger, "")
		change(job)
		_, err := one.create(job)
		raised(err, words)
	}
	refused("Schedule or time zone is invalid.", func(job *pb.Job) { job.Schedule = "* * * * * *" })
	refused("Schedule or time zone is invalid.", func(job *pb.Job) { job.TimeZone = "Mars/Olympus" })
	retries := &pb.RetryConfig{RetryCount: 6}
	refused("retry_count must be a positive integer", func(job *pb.Job) { job.RetryConfig = retries })
	refused("attemptDeadline", func(job *pb.Job) { job.AttemptDeadline = durationpb.New(time.Second) })
}

func (one *jobs) denied() {
	key := option.WithAuthCredentialsFile(option.ServiceAccount, one.stage.newKey(one.stage.stranger))
	stranger := must(one.open(short(), key))
	defer stranger.Close()
	job := one.job("denied", one.stage.ledger, "")
	_, err := stranger.CreateJob(short(), &pb.CreateJobRequest{Parent: one.parent, Job: job})
	raised(err, "cloudscheduler.jobs.create")
}

func (one *jobs) verified() {
	verifying(one.stage.deployer, func(url string) {
		equal(one.attempt(one.job("own", url, application)).Status, http.StatusNoContent, "the answer to its own")
		equal(one.attempt(one.job("others", url, url)).Status, http.StatusUnauthorized, "the answer to another's")
		equal(one.attempt(one.job("none", url, "")).Status, http.StatusUnauthorized, "the answer to no token")
	})
}

func (one *jobs) deleted() {
	for _, name := range one.list() {
		err := one.client.DeleteJob(short(), &pb.DeleteJobRequest{Name: name})
		need(err == nil, "%s is not deleted: %v", name, err)
	}
	_, err := one.client.GetJob(short(), &pb.GetJobRequest{Name: one.name + "tick"})
	raised(err, "Job not found.")
}
