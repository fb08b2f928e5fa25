package main

import (
	"fmt"
	"reflect"
	"strings"
)

// What a case panics with when it does not go as it should.
type failure string

func need(holds bool, what string, args ...any) {
	if !holds {
		panic(failure(fmt.Sprintf(what, args...)))
	}
}

func equal[T any](found, wanted T, what string) {
	need(reflect.DeepEqual(found, wanted), "%s is %v, not %v", what, found, wanted)
}

// The value, where there must be no error.
func must[T any](value T, err error) T {
	need(err == nil, "the client gave up: %v", err)
	return value
}

// The client must have given up, with an error that holds all words.
func raised(err error, words ...string) {
	need(err != nil, "no error came")
	for _, part := range words {
		need(strings.Contains(err.Error(), part), "`%s` is not in what the client says: %v", part, err)
	}
}
