package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"time"

	"github.com/expressway-dev/expressway/pkg/statesapi"
)

const (
	waitingExecutions = 10_000
	endedExecutions   = 90_000 // listed with those that wait
)

// manyExecutions measures the memory of the local engine with executions that wait and
// others that are listed, when all pages of the list have been read.
func (b *bench) manyExecutions(ctx context.Context, r *report) error {
	b.say("local engine: %d executions that wait, %d listed", waitingExecutions, waitingExecutions+endedExecutions)
	before := memoryInUse()
	service := statesapi.New(statesapi.Options{})
	defer func() {
		ended, cancel := context.WithCancel(ctx)
		cancel() // those that wait are not waited for
		_ = service.Close(ended)
	}()
	api := statesAPI{statesapi.NewHandler(service, statesapi.HandlerOptions{})}
	const definition = `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$.wait","BooleanEquals":true,"Next":"W"}],"Default":"D"},` +
		`"W":{"Type":"Wait","Seconds":86400,"Next":"D"},"D":{"Type":"Succeed"}}}`
	var machine struct{ StateMachineArn string }
	if err := api.call(ctx, "CreateStateMachine", map[string]any{"name": "many", "definition": definition, "roleArn": "arn:aws:iam::123456789012:role/bench"}, &machine); err != nil {
		return err
	}
	// Those that wait are started last, because they use up the number of executions that
	// may run.
	const patience = 1000
	for i := range endedExecutions + waitingExecutions {
		request := map[string]any{"stateMachineArn": machine.StateMachineArn, "input": fmt.Sprintf(`{"wait":%t}`, i >= endedExecutions)}
		err := api.call(ctx, "StartExecution", request, nil)
		for range patience {
			if err == nil {
				break
			}
			time.Sleep(time.Millisecond) // until one of the running ones has ended
			err = api.call(ctx, "StartExecution", request, nil)
		}
		if err != nil {
			return err
		}
	}
	listed := 0
	for token := ""; ; {
		request := map[string]any{"stateMachineArn": machine.StateMachineArn, "maxResults": 1000}
		if token != "" {
			request["nextToken"] = token
		}
		var page struct {
			Executions []json.RawMessage
			NextToken  string
		}
		if err := api.call(ctx, "ListExecutions", request, &page); err != nil {
			return err
		}
		listed += len(page.Executions)
		if token = page.NextToken; token == "" {
			break
		}
	}
	if want := waitingExecutions + endedExecutions; listed != want {
		return fmt.Errorf("%d executions are listed, want %d", listed, want)
	}
	r.add(budgetExecutions, comparison{ours: []float64{(memoryInUse() - before) / (1 << 20)}})
	return nil
}

// memoryInUse is what the process has in use: heap, and stacks of goroutines.
func memoryInUse() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

// statesAPI calls the local Step Functions without a network.
type statesAPI struct{ handler http.Handler }

func (a statesAPI) call(ctx context.Context, operation string, request, response any) error {
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", bytes.NewReader(mustMarshal(request)))
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AWSStepFunctions."+operation)
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, req)
	if w.Code != http.StatusOK {
		return fmt.Errorf("%s: %d %.300s", operation, w.Code, w.Body)
	}
	if response == nil {
		return nil
	}
	return json.Unmarshal(w.Body.Bytes(), response)
}
