// An application of its own that takes tokens of Google: it verifies them with idtoken.Validate.
//
//	verifier AUDIENCE ACCOUNT
//
// Listens on a free port of this machine and prints it. 204 for an ID token of Google for AUDIENCE whose e-mail address is
// ACCOUNT, else 401 with the reason.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"google.golang.org/api/idtoken"
)

func whyNot(request *http.Request, audience, account string) string {
	scheme, token, _ := strings.Cut(request.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") || token == "" {
		return "no bearer token"
	}
	payload, err := idtoken.Validate(request.Context(), token, audience)
	if err != nil {
		return err.Error()
	}
	// Validate leaves the issuer to its caller.
	if payload.Issuer != "https://accounts.google.com" && payload.Issuer != "accounts.google.com" {
		return "issued by " + payload.Issuer
	}
	if payload.Claims["email"] != account || payload.Claims["email_verified"] != true {
		return fmt.Sprintf("the token is one of %v", payload.Claims["email"])
	}
	return ""
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: verifier AUDIENCE ACCOUNT")
		os.Exit(2)
	}
	audience, account := os.Args[1], os.Args[2]
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	handler := http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if why := whyNot(request, audience, account); why != "" {
			http.Error(response, why, http.StatusUnauthorized)
			return
		}
		response.WriteHeader(http.StatusNoContent)
	})
	fmt.Fprintln(os.Stderr, http.Serve(listener, handler))
}
