package httpfront

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An answer is a response before it is put into a door's format.
type answer struct {
	status int
	header http.Header
	body   []byte
	// problem is the document from which body was encoded, if it is a problem document.
	problem *jsonata.Object
	// response is what is sent to the front door, once it has been encoded.
	response []byte
}

// setStatus changes the status, which a problem document repeats (RFC 9457, section
// 3.1.2), and removes a Retry-After that no longer fits.
func (a *answer) setStatus(status int) {
	a.status = status
	if a.problem != nil {
		a.problem.Set("status", json.Number(strconv.Itoa(status)))
		a.body, _ = jsonata.AppendJSON(nil, a.problem) // texts and a number cannot fail
	}
	switch status {
	case http.StatusServiceUnavailable, http.StatusConflict, http.StatusTooManyRequests:
	default:
		a.header.Del("Retry-After")
	}
}

// statuses maps the bridge's error names to HTTP statuses; a workflow's own
// failures are 500, and 504 when the execution timed out.
var statuses = map[string]struct {
	status int
	title  string
}{
	bridge.NoRoute:          {http.StatusNotFound, "Nothing is routed here"},
	bridge.Unverified:       {http.StatusUnauthorized, "The request could not be verified"},
	bridge.BadRequest:       {http.StatusBadRequest, "The request is malformed"},
	bridge.InputTooLarge:    {http.StatusRequestEntityTooLarge, "The request is too large"},
	bridge.InProgress:       {http.StatusConflict, "The same delivery is being processed"},
	bridge.DedupeMismatch:   {http.StatusUnprocessableEntity, "The same key came with another body"},
	bridge.Throttled:        {http.StatusServiceUnavailable, "Too many executions at the moment"},
	bridge.Unavailable:      {http.StatusServiceUnavailable, "The workflow service cannot be reached"},
	bridge.Unknown:          {http.StatusBadGateway, "The workflow service gave no answer; the workflow may have run"},
	bridge.Deadline:         {http.StatusGatewayTimeout, "The workflow did not end in time; it may still be running"},
	bridge.Misconfigured:    {http.StatusInternalServerError, "The route is misconfigured"},
	bridge.ExpressionFailed: {http.StatusInternalServerError, "An expression of the route failed"},
	bridge.BadToken:         {http.StatusBadRequest, "The task token is missing or wrong"},
	bridge.TaskGone:         {http.StatusGone, "The task no longer waits"},
	bridge.TaskUnknown:      {http.StatusNotFound, "No task waits under this key"},
	bridge.BadResponse:      {http.StatusBadGateway, "The workflow's output is not a valid response"},
	bridge.Internal:         {http.StatusInternalServerError, "Internal error"},
}

// tooLargeDetail says what to do about a 413; it appears in the sender's log.
const tooLargeDetail = "A body may have up to 6 MiB, and the input that the route makes from it up to 256 KiB: send less, or let the route pass on less (input) or offload it (offload)."

// answerTo makes the default answer to a failure: a problem document (RFC 9457)
// that never shows the cause.
func answerTo(f *bridge.Failure, requestID string) *answer {
	status, title := http.StatusInternalServerError, "The workflow failed"
	row, own := statuses[f.Name]
	switch {
	case f.OfWorkflow(): // whatever it names its failure
	case f.Name == bridge.NoRoute && f.Cause == methodNotAllowed:
		status, title = http.StatusMethodNotAllowed, "The method is not allowed here"
	case f.Name == bridge.Unavailable && f.Cause == secretsUnreadable:
		status, title = row.status, "The request cannot be verified at the moment"
	case f.Name == bridge.Unavailable && f.Cause == handshakeIncomplete:
		status, title = row.status, "The handshake cannot be completed at the moment"
	case own:
		status, title = row.status, row.title
	case f.Outcome != nil && f.Outcome.Status == bridge.TimedOut:
		status, title = http.StatusGatewayTimeout, "The workflow timed out"
	}
	problem := jsonata.NewObject(5)
	problem.Set("title", title)
	problem.Set("status", json.Number(strconv.Itoa(status)))
	problem.Set("error", f.Name)
	if requestID != "" {
		problem.Set("requestId", requestID)
	}
	if f.Name == bridge.InputTooLarge && !f.OfWorkflow() {
		problem.Set("detail", tooLargeDetail)
	}
	if f.Outcome != nil {
		problem.Set("executionArn", f.Outcome.ExecutionARN)
	}
	body, _ := jsonata.AppendJSON(nil, problem) // text and a number cannot fail
	a := &answer{status: status, header: http.Header{}, body: body, problem: problem}
	a.header.Set("Content-Type", "application/problem+json")
	if status == http.StatusServiceUnavailable || status == http.StatusConflict {
		a.header.Set("Retry-After", seconds(f.RetryAfter))
	}
	return a
}

// seconds writes a wait in whole seconds, at least one.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int((d+time.Second-1)/time.Second)))
}

func emptyAnswer(status int) *answer { return &answer{status: status, header: http.Header{}} }

func jsonAnswer(status int, body []byte) *answer {
	a := &answer{status: status, header: http.Header{}, body: body}
	a.header.Set("Content-Type", "application/json")
	return a
}

// answer turns a result into the route's answer. The failure is set if the answer could
// not be made.
func (e *endpoint) answer(ctx context.Context, r *request, result bridge.Result) (*answer, *bridge.Failure) {
	switch {
	case result.Filtered:
		return emptyAnswer(http.StatusOK), nil
	case result.Answered:
		return e.answerAlone(ctx, r, result)
	case result.Accepted != "":
		return e.answerTaken(), nil
	case result.Resumed != "":
		return e.answerResumed(ctx, r, result)
	case result.Replayed:
		a, failure := replay(result.Replay)
		if failure != nil {
			return answerTo(failure, r.requestID), failure
		}
		return a, nil
	case result.Failure != nil:
		return e.answerFailure(ctx, r, result)
	case e.route.Async:
		return e.answerAccepted(ctx, r, result)
	case result.Outcome.OutputWithheld:
		if e.route.Respond == nil {
			return emptyAnswer(http.StatusNoContent), nil
		}
		return e.render(ctx, r, e.route.Respond, emptyAnswer(http.StatusNoContent), result)
	case e.route.Respond != nil:
		return e.render(ctx, r, e.route.Respond, jsonAnswer(http.StatusOK, result.Outcome.Output), result)
	}
	if bytesHaveStatusCode(result.Outcome.Output) {
		if v, err := jsonata.Decode(result.Outcome.Output); err == nil {
			if o, ok := v.(*jsonata.Object); ok && o.Has("statusCode") {
				a, reason := proxyAnswer(o)
				if reason != "" {
					return e.badResponse(r, result, reason)
				}
				return a, nil
			}
		}
	}
	return jsonAnswer(http.StatusOK, result.Outcome.Output), nil
}

// answerAlone makes the answer of a route that starts no execution. It never returns a
// value from the request in a type of document in which a browser runs scripts.
func (e *endpoint) answerAlone(ctx context.Context, r *request, result bridge.Result) (*answer, *bridge.Failure) {
	a, failure := e.render(ctx, r, e.route.HTTP.Answer, emptyAnswer(http.StatusOK), result)
	if failure != nil {
		return a, failure
	}
	body := e.route.HTTP.Answer.Body
	if body != nil && body.Uses("request") && config.Scriptable(a.header.Get("Content-Type")) {
		return e.badResponse(r, result, "the answer has a value from the request in HTML, XML or SVG")
	}
	if len(a.body) > 0 && a.header.Get("X-Content-Type-Options") == "" {
		a.header.Set("X-Content-Type-Options", "nosniff")
	}
	return a, nil
}

// answerResumed confirms that Step Functions accepted the answer to the task.
func (e *endpoint) answerResumed(ctx context.Context, r *request, result bridge.Result) (*answer, *bridge.Failure) {
	base := e.acknowledge()
	if e.page != nil {
		base = e.page.done(result.Resumed)
	}
	return e.render(ctx, r, e.route.Respond, base, result)
}

func (e *endpoint) answerFailure(ctx context.Context, r *request, result bridge.Result) (*answer, *bridge.Failure) {
	if late := e.route.HTTP.OnDeadline; late != nil && result.Failure.Name == bridge.Deadline {
		if late.Acknowledge {
			return e.acknowledge(), nil
		}
		return e.render(ctx, r, &late.Respond, answerTo(result.Failure, r.requestID), result)
	}
	if c := e.catchOf(result.Failure.Name); c != nil {
		return e.render(ctx, r, &c.Respond, answerTo(result.Failure, r.requestID), result)
	}
	return answerTo(result.Failure, r.requestID), nil
}

// answerAccepted acknowledges an execution that continues on its own.
func (e *endpoint) answerAccepted(ctx context.Context, r *request, result bridge.Result) (*answer, *bridge.Failure) {
	if e.route.HTTP.Accepted == nil && e.route.HTTP.Ack.Status != 0 {
		return e.acknowledge(), nil
	}
	started := jsonata.NewObject(1)
	started.Set("executionArn", result.Outcome.ExecutionARN)
	body, _ := jsonata.AppendJSON(nil, started) // a text cannot fail
	return e.render(ctx, r, e.route.HTTP.Accepted, jsonAnswer(http.StatusAccepted, body), result)
}

// answerTaken acknowledges a delivery that the route's queue has accepted.
func (e *endpoint) answerTaken() *answer {
	if e.route.HTTP.Ack.Status != 0 {
		return e.acknowledge()
	}
	return emptyAnswer(http.StatusAccepted)
}

// acknowledge is the provider's own acknowledgement. If there is none, the answer is 200
// without a body: some senders treat a 202 as a failure, and others show the text to a
// person.
func (e *endpoint) acknowledge() *answer {
	ack := e.route.HTTP.Ack
	if ack.Status == 0 {
		return emptyAnswer(http.StatusOK)
	}
	a := emptyAnswer(ack.Status)
	a.body = []byte(ack.Body)
	if ack.ContentType != "" && ack.Body != "" {
		a.header.Set("Content-Type", ack.ContentType)
	}
	return a
}

// bytesHaveStatusCode saves decoding most outputs in vain.
func bytesHaveStatusCode(output []byte) bool {
	return bytes.Contains(output, []byte("statusCode")) || bytes.Contains(output, []byte(`\u`))
}

func (e *endpoint) badResponse(r *request, result bridge.Result, reason string) (*answer, *bridge.Failure) {
	f := &bridge.Failure{Name: bridge.BadResponse, Cause: reason, Outcome: result.Outcome}
	return answerTo(f, r.requestID), f
}

// DefaultStatus returns the status of the answer to one of the bridge's own failures; zero for any other name.
func DefaultStatus(name string) int { return statuses[name].status }
