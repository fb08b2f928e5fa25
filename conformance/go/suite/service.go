package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The private service, called with an ID token by HTTP. It is the rig's echo.
func byHTTP(client *http.Client, url, token string) {
	status, text := send(client, http.MethodGet, url+"/entries", token, nil)
	equal(status, http.StatusOK, "the status of the service ("+text+")")
	var answer struct{ Path string }
	need(json.Unmarshal([]byte(text), &answer) == nil, "the service answered %s", text)
	equal(answer.Path, "/entries", "the path that the service saw")
}

// Calls a method of the service by gRPC; the echo sends the message back.
func call(url, token string, options ...grpc.DialOption) error {
	options = append(options, grpc.WithTransportCredentials(credentials.NewTLS(nil)))
	connection := must(grpc.NewClient(strings.TrimPrefix(url, "https://")+":443", options...))
	defer connection.Close()
	ctx := context.Background()
	if token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	sent, back := wrapperspb.String("entry 17"), &wrapperspb.StringValue{}
	if err := connection.Invoke(ctx, "/shop.Ledger/Enter", sent, back); err != nil {
		return err
	}
	equal(back.Value, sent.Value, "what came back by gRPC")
	return nil
}

func byGRPC(url, token string, options ...grpc.DialOption) {
	err := call(url, token, options...)
	need(err == nil, "the service by gRPC: %v", err)
}
