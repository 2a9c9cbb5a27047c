package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// connections are how many callers at once the direct comparison has.
var connections = map[int]budget{1: budgetHTTP1, 8: budgetHTTP8}

// empty is the least that a JSON endpoint can do: it reads the request, and answers.
func empty(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_, _ = io.WriteString(w, "{}")
}

// engineHTTP measures StartSyncExecution without the SDK, whose own cost hides half of
// the server's, against a handler that does nothing.
func (b *bench) engineHTTP(ctx context.Context, r *report, service *statesapi.Service, machine string) error {
	server := httptest.NewServer(statesapi.NewHandler(service, statesapi.HandlerOptions{}))
	defer server.Close()
	constant := httptest.NewServer(http.HandlerFunc(empty))
	defer constant.Close()
	body, err := json.Marshal(map[string]string{"stateMachineArn": machine, "input": workflowInput})
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	for n, line := range connections {
		var c comparison
		base := b.direct(ctx, constant.URL, string(body), "{}", n, &c.base)
		ours := b.direct(ctx, server.URL, string(body), `"status":"SUCCEEDED"`, n, &c.ours)
		// The first turn makes the connections.
		if err := inTurns(1, base, ours); err != nil {
			return err
		}
		c = comparison{}
		if err := inTurns(engineTurns, base, ours); err != nil {
			return err
		}
		r.add(line, c)
	}
	return nil
}

// direct returns a turn: the plan's calls over n connections. It adds the time of a call as
// the server sees it, which is the inverse of the throughput.
func (b *bench) direct(ctx context.Context, url, body, want string, n int, into *[]float64) func() error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: n, MaxConnsPerHost: n}}
	calls := max(1, b.plan.calls/n)
	return func() error {
		runtime.GC()
		began := time.Now()
		failures := make([]error, n)
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() {
				for range calls {
					if failures[i] = post(ctx, client, url, body, want); failures[i] != nil {
						return
					}
				}
			})
		}
		group.Wait()
		*into = append(*into, milliseconds(time.Since(began))/float64(calls*n))
		return errors.Join(failures...)
	}
}

func post(ctx context.Context, client *http.Client, url, body, want string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "AWSStepFunctions.StartSyncExecution")
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("call %s: %w", url, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("call %s: %w", url, err)
	}
	if !strings.Contains(string(text), want) {
		return fmt.Errorf("call %s: answer %d %s", url, response.StatusCode, text)
	}
	return nil
}
