package lambdatest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"
)

// StepFunctionsOptions configure a [StepFunctions]. The zero value answers at once that
// the execution succeeded with the output {"ok":true}.
type StepFunctionsOptions struct {
	// Delay is how long each execution takes.
	Delay time.Duration
	// Respond makes the answer from the call. Without it the request is read but not
	// decoded, so that the endpoint costs next to nothing.
	Respond func(StartSyncExecution) (status int, body any)
}

// A StartSyncExecution is one call, as it arrived on the wire.
type StartSyncExecution struct {
	StateMachineARN string `json:"stateMachineArn"`
	Name            string `json:"name"`
	Input           string `json:"input"`
	TraceHeader     string `json:"traceHeader"`
	// HTTPTraceHeader is the X-Amzn-Trace-Id header, which Step Functions prefers to
	// the field.
	HTTPTraceHeader string `json:"-"`
}

// A StepFunctions is an endpoint that answers StartSyncExecution and nothing else. It
// runs no state machine and checks no signature.
type StepFunctions struct {
	// URL is for AWS_ENDPOINT_URL_SFN.
	URL string

	server *httptest.Server
	opts   StepFunctionsOptions
	calls  atomic.Int64

	mu   sync.Mutex
	last []byte
}

// NewStepFunctions starts an endpoint on a loopback port. The caller must close it.
func NewStepFunctions(o StepFunctionsOptions) *StepFunctions {
	s := &StepFunctions{opts: o}
	s.server = httptest.NewServer(s)
	s.URL = s.server.URL
	return s
}

// Close ends the server and waits for calls that are being answered.
func (s *StepFunctions) Close() { s.server.Close() }

// Calls returns the number of StartSyncExecution calls so far.
func (s *StepFunctions) Calls() int { return int(s.calls.Load()) }

const succeeded = `{"executionArn":"arn:aws:states:us-east-1:123456789012:express:bench:run:00000000-0000-4000-8000-000000000000",` +
	`"stateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:bench","name":"run",` +
	`"startDate":1.7E9,"stopDate":1.700000001E9,"status":"SUCCEEDED","output":"{\"ok\":true}","outputDetails":{"included":true},` +
	`"inputDetails":{"included":true},"billingDetails":{"billedDurationInMilliseconds":100,"billedMemoryUsedInMB":64}}`

// ServeHTTP answers one call.
func (s *StepFunctions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if target := r.Header.Get("X-Amz-Target"); target != "AWSStepFunctions.StartSyncExecution" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"__type":"UnknownOperationException","message":%q}`, "no operation "+target)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.calls.Add(1)
	s.mu.Lock()
	s.last = body
	s.mu.Unlock()
	if s.opts.Delay > 0 {
		timer := time.NewTimer(s.opts.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		}
	}
	if s.opts.Respond == nil {
		_, _ = io.WriteString(w, succeeded)
		return
	}
	s.respond(w, r, body)
}

func (s *StepFunctions) respond(w http.ResponseWriter, r *http.Request, body []byte) {
	var call StartSyncExecution
	if err := json.Unmarshal(body, &call); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"SerializationException"}`)
		return
	}
	call.HTTPTraceHeader = r.Header.Get("X-Amzn-Trace-Id")
	status, doc := s.opts.Respond(call)
	answer, err := json.Marshal(doc)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}
