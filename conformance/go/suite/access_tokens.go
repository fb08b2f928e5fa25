package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	authlib "cloud.google.com/go/auth"
	authcredentials "cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/credentials/downscope"
	"cloud.google.com/go/auth/credentials/impersonate"
	"cloud.google.com/go/auth/httptransport"
	iamcredentials "cloud.google.com/go/iam/credentials/apiv1"
	"cloud.google.com/go/iam/credentials/apiv1/credentialspb"
)

// Access tokens: by key, by the machine, self-signed, impersonated, downscoped; many calls at once.
func accessTokens(stage *stage) []trial {
	project := "https://cloudresourcemanager.googleapis.com/v1/projects/" + stage.owner.project
	resource := "projects/-/serviceAccounts/" + stage.deployer
	// Resource Manager's answer to a client with these credentials.
	asks := func(found *authlib.Credentials) int {
		client := must(httptransport.NewClient(&httptransport.Options{Credentials: found}))
		status, _ := send(client, http.MethodGet, project, "", nil)
		return status
	}
	reads := func(found *authlib.Credentials) { equal(asks(found), http.StatusOK, "the status") }
	detect := func(options *authcredentials.DetectOptions) *authlib.Credentials {
		return must(authcredentials.DetectDefault(options))
	}
	key := func(options *authcredentials.DetectOptions) *authlib.Credentials {
		return must(authcredentials.NewCredentialsFromFile(authcredentials.ServiceAccount, stage.key, options))
	}
	scoped := &authcredentials.DetectOptions{Scopes: []string{cloud}}

	var all []trial
	add := func(client, path, name string, run func()) { all = append(all, trial{client, path, name, run}) }
	add(auth, "service-account key", "scoped token by oauth2", func() {
		stage.control.allows("oauth2-token cloudresourcemanager", func() { reads(key(scoped)) })
	})
	add(auth, "service-account key", "self-signed, with audience", func() {
		options := &authcredentials.DetectOptions{Audience: "https://cloudresourcemanager.googleapis.com/", UseSelfSignedJWT: true}
		stage.control.allows("cloudresourcemanager", func() { reads(key(options)) })
	})
	add(auth, "service-account key", "self-signed, with scope", func() {
		options := &authcredentials.DetectOptions{Scopes: []string{cloud}, UseSelfSignedJWT: true}
		stage.control.allows("cloudresourcemanager", func() { reads(key(options)) })
	})
	add(auth, "service-account key", "default credentials", func() {
		with(credentialsVariable, stage.key, func() {
			found := detect(scoped)
			equal(must(found.ProjectID(context.Background())), stage.owner.project, "the project of the key")
			reads(found)
		})
	})
	add(auth, "metadata server", "default credentials", func() {
		with(credentialsVariable, "", func() {
			found := detect(scoped)
			equal(must(found.ProjectID(context.Background())), stage.owner.project, "the project of the machine")
			reads(found)
		})
	})
	add(auth, "impersonate.NewCredentials", "lifetime of 10 minutes", func() {
		found := must(impersonate.NewCredentials(&impersonate.CredentialsOptions{
			TargetPrincipal: stage.deployer, Scopes: []string{cloud}, Lifetime: 10 * time.Minute, Credentials: key(scoped),
		}))
		left := time.Until(must(found.Token(short())).Expiry).Seconds()
		need(590 <= left && left <= 601, "the access token has %v seconds, not 600", left)
		reads(found)
	})
	add(auth, "downscope.NewCredentials", "a token within an access boundary", func() {
		narrow := must(downscope.NewCredentials(&downscope.Options{
			Credentials: key(scoped),
			Rules: []downscope.AccessBoundaryRule{{
				AvailableResource:    "//storage.googleapis.com/projects/_/buckets/reports",
				AvailablePermissions: []string{"inRole:roles/storage.objectViewer"},
			}},
		}))
		stage.control.allows("oauth2-token sts", func() { must(narrow.Token(short())) })
		stage.control.refuses("cloudresourcemanager", "permission", func() {
			equal(asks(narrow), http.StatusForbidden, "the status")
		})
	})

	// A generated client with a key asks no token endpoint: it signs for its own service.
	for _, wire := range wires {
		client := func(work func(*iamcredentials.IamCredentialsClient)) {
			with(credentialsVariable, stage.key, func() {
				opened := must(wire.open(context.Background()))
				defer opened.Close()
				work(opened)
			})
		}
		path := "service-account key, " + wire.name
		add(iam, path, "access token, self-signed call", func() {
			client(func(opened *iamcredentials.IamCredentialsClient) {
				stage.control.allows("iamcredentials", func() {
					request := &credentialspb.GenerateAccessTokenRequest{Name: resource, Scope: []string{cloud}}
					answer := must(opened.GenerateAccessToken(short(), request))
					need(strings.HasPrefix(answer.AccessToken, "ya29."), "the access token has another form")
				})
			})
		})
		add(iam, path, "SignJwt", func() {
			client(func(opened *iamcredentials.IamCredentialsClient) {
				payload := fmt.Sprintf(`{"sub":"x","aud":"y","exp":%d}`, time.Now().Unix()+600)
				answer := must(opened.SignJwt(short(), &credentialspb.SignJwtRequest{Name: resource, Payload: payload}))
				equal(open(answer.SignedJwt)["aud"], any("y"), "the audience that was signed")
			})
		})
		add(iam, path, "40 calls at once", func() {
			client(func(opened *iamcredentials.IamCredentialsClient) {
				// Each call must get the token that it has asked for.
				var group sync.WaitGroup
				wrong := make(chan string, 40)
				for number := range 40 {
					group.Go(func() {
						audience := fmt.Sprintf("https://shop-%d.example", number)
						request := &credentialspb.GenerateIdTokenRequest{Name: resource, Audience: audience, IncludeEmail: true}
						answer, err := opened.GenerateIdToken(short(), request)
						if err != nil {
							wrong <- err.Error()
						} else if found := open(answer.Token)["aud"]; found != audience {
							wrong <- fmt.Sprintf("asked for %s, got %v", audience, found)
						}
					})
				}
				group.Wait()
				close(wrong)
				for one := range wrong {
					need(false, "%s", one)
				}
			})
		})
	}
	return all
}
