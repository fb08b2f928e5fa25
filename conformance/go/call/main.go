// Command call calls a private Cloud Run service the way a federated workload does, with Google's own client.
//
//	call URL EMAIL AUDIENCE [grpc|rest]
//
// Application Default Credentials (an external_account file, as a rule) become a federated token, IAM Credentials makes an
// ID token of EMAIL for AUDIENCE, and that token goes to URL. The service's answer is printed. When one of the three says
// no, its words go to stderr, with the status, and the exit code is 1.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	iamcredentials "cloud.google.com/go/iam/credentials/apiv1"
	"cloud.google.com/go/iam/credentials/apiv1/credentialspb"
)

func main() {
	if len(os.Args) < 4 || len(os.Args) > 5 {
		fmt.Fprintln(os.Stderr, "usage: call URL EMAIL AUDIENCE [grpc|rest]")
		os.Exit(2)
	}
	url, account, audience := os.Args[1], os.Args[2], os.Args[3]
	rest := len(os.Args) == 5 && os.Args[4] == "rest"
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := call(ctx, url, account, audience, rest); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func call(ctx context.Context, url, account, audience string, rest bool) error {
	token, err := idToken(ctx, account, audience, rest)
	if err != nil {
		return fmt.Errorf("no ID token: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s refused it: %s\n%s", url, response.Status, response.Header.Get("WWW-Authenticate"))
	}
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}

func idToken(ctx context.Context, account, audience string, rest bool) (string, error) {
	open := iamcredentials.NewIamCredentialsClient
	if rest {
		open = iamcredentials.NewIamCredentialsRESTClient
	}
	client, err := open(ctx)
	if err != nil {
		return "", err
	}
	defer client.Close()
	answer, err := client.GenerateIdToken(ctx, &credentialspb.GenerateIdTokenRequest{
		Name:         "projects/-/serviceAccounts/" + account,
		Audience:     audience,
		IncludeEmail: true,
	})
	if err != nil {
		return "", err
	}
	return answer.Token, nil
}
