package reliability

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// A queueFront is placed in front of the server that emulates SQS. It lets one call
// through at a time, because the server's queues are unguarded lists, and a message that
// the server lost would be counted as lost by the function. It waits for messages instead
// of the server. And it makes some of the sends of dead letters fail.
type queueFront struct {
	target string
	client *http.Client
	dice   dice
	ledger *ledger

	mu    sync.Mutex
	sends int
}

const pollInterval = 50 * time.Millisecond

func (q *queueFront) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	switch operation := r.Header.Get("X-Amz-Target"); {
	case strings.HasSuffix(operation, ".ReceiveMessage"):
		q.receive(w, r, body)
	case strings.HasSuffix(operation, ".SendMessage") && r.Header.Get(ourHeader) == "":
		q.send(w, r, body)
	default:
		write(w, q.forward(r, body))
	}
}

// receive waits up to the call's WaitTimeSeconds for messages.
func (q *queueFront) receive(w http.ResponseWriter, r *http.Request, body []byte) {
	var call map[string]any
	if err := json.Unmarshal(body, &call); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	seconds, _ := call["WaitTimeSeconds"].(float64)
	call["WaitTimeSeconds"] = 0
	body, _ = json.Marshal(call)
	until := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	for {
		answer := q.forward(r, body)
		n := q.inOrder(r, call["QueueUrl"], answer)
		if answer.Code != http.StatusOK || n > 0 || time.Now().After(until) || r.Context().Err() != nil {
			write(w, answer)
			return
		}
		time.Sleep(pollInterval)
	}
}

// inOrder returns how many messages an answer has, after it put those of a FIFO queue
// back that the server handed out before their turn: when the visibility of several
// messages of a group has run out, it hands out the last of them first.
func (q *queueFront) inOrder(r *http.Request, queue any, answer *httptest.ResponseRecorder) int {
	var got struct{ Messages []map[string]any }
	if json.Unmarshal(answer.Body.Bytes(), &got) != nil {
		return 0
	}
	if name, _ := queue.(string); !strings.HasSuffix(name, "/work.fifo") || len(got.Messages) == 0 {
		return len(got.Messages)
	}
	ids := make([]string, len(got.Messages))
	for i, m := range got.Messages {
		var body struct{ ID string }
		text, _ := m["Body"].(string)
		_ = json.Unmarshal([]byte(text), &body)
		own, _ := m["MessageAttributes"].(map[string]any)
		number, _ := own[copyAttribute].(map[string]any)
		n, _ := number["StringValue"].(string)
		ids[i] = copyID(body.ID, n)
	}
	early := q.ledger.overtaken(ids)
	if len(early) == 0 {
		return len(got.Messages)
	}
	var kept []map[string]any
	for i, m := range got.Messages {
		if !slices.Contains(early, ids[i]) {
			kept = append(kept, m)
			continue
		}
		q.ledger.count("out-of-order deliveries by moto, put back")
		call, _ := json.Marshal(map[string]any{"QueueUrl": queue, "ReceiptHandle": m["ReceiptHandle"], "VisibilityTimeout": 0})
		back := r.Clone(r.Context())
		back.Header.Set("X-Amz-Target", "AmazonSQS.ChangeMessageVisibility")
		q.forward(back, call)
	}
	text, _ := json.Marshal(map[string]any{"Messages": kept})
	answer.Body.Reset()
	_, _ = answer.Body.Write(text)
	return len(kept)
}

// send accepts a dead letter. One in twenty is refused, and one in twenty accepted
// without an answer.
func (q *queueFront) send(w http.ResponseWriter, r *http.Request, body []byte) {
	q.mu.Lock()
	q.sends++
	n := q.sends
	q.mu.Unlock()
	if n%20 == 7 {
		q.ledger.count("dead letters refused with status 503")
		refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable")
		return
	}
	answer := q.forward(r, body)
	if n%20 == 17 {
		q.ledger.count("dead letters accepted without an answer")
		reset(w)
		return
	}
	write(w, answer)
}

func (q *queueFront) forward(r *http.Request, body []byte) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	// A caller that is killed must not end the call half way either.
	out, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, q.target+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadGateway)
		return answer
	}
	out.Header = r.Header.Clone()
	q.mu.Lock()
	defer q.mu.Unlock()
	response, err := q.client.Do(out)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadGateway)
		return answer
	}
	defer response.Body.Close()
	for name, values := range response.Header {
		answer.Header()[name] = values
	}
	answer.WriteHeader(response.StatusCode)
	_, _ = io.Copy(answer, response.Body)
	return answer
}

func write(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	for name, values := range answer.Header() {
		if name != "Content-Length" && name != "Connection" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}
