// Command enqueue makes a task that calls a URL with an ID token, as the walk-through about Cloud Scheduler, Tasks and
// PubSub does with Google's own client for version 2beta3.
//
//	enqueue QUEUE URL EMAIL AUDIENCE
//
// QUEUE is a full name, EMAIL the account that the token is of. The task's name, of which the last part is random, is
// printed. When Cloud Tasks says no, its words go to stderr and the exit code is 1.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"

	cloudtasks "cloud.google.com/go/cloudtasks/apiv2beta3"
	taskspb "cloud.google.com/go/cloudtasks/apiv2beta3/cloudtaskspb"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: enqueue QUEUE URL EMAIL AUDIENCE")
		os.Exit(2)
	}
	name, err := enqueue(context.Background(), os.Args[1], os.Args[2], os.Args[3], os.Args[4])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(name)
}

func enqueue(ctx context.Context, queue, url, email, audience string) (string, error) {
	client, err := cloudtasks.NewClient(ctx)
	if err != nil {
		return "", err
	}
	defer client.Close()
	token := &taskspb.OidcToken{ServiceAccountEmail: email, Audience: audience}
	task := &taskspb.Task{
		Name: queue + "/tasks/" + rand.Text(),
		PayloadType: &taskspb.Task_HttpRequest{HttpRequest: &taskspb.HttpRequest{
			Url:                 url,
			HttpMethod:          taskspb.HttpMethod_GET,
			AuthorizationHeader: &taskspb.HttpRequest_OidcToken{OidcToken: token},
		}},
	}
	made, err := client.CreateTask(ctx, &taskspb.CreateTaskRequest{Parent: queue, Task: task})
	if err != nil {
		return "", err
	}
	return made.Name, nil
}
