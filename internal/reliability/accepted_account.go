package reliability

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// An acceptedAccount says what happened to webhooks that were accepted first.
type acceptedAccount struct {
	// Accepted of the webhooks were acknowledged, after Repeated sends that were not.
	Accepted, Repeated int
	// Redriven dead letters were put back.
	Redriven int
	// Once and More are the webhooks by how often they succeeded. Twice says for each
	// success beyond the first of a webhook which fault of the repeated delivery explains it;
	// Why counts each fault.
	Once, More int
	Why, Twice map[string]int
	// Wrong lists what must not happen; it is empty in an account that balances.
	Wrong []string
}

// acceptedFront is a proxy in front of moto's SQS: it refuses some of the sends, and
// loses the answers of others.
type acceptedFront struct {
	run   *acceptedRun
	plain *queueFront
}

func (f *acceptedFront) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	switch operation := in.Header.Get("X-Amz-Target"); {
	case strings.HasSuffix(operation, ".ReceiveMessage"):
		f.plain.receive(w, in, body)
	case strings.HasSuffix(operation, ".SendMessage"):
		f.send(w, in, body)
	default:
		write(w, f.plain.forward(in, body))
	}
}

func (f *acceptedFront) send(w http.ResponseWriter, in *http.Request, body []byte) {
	var m struct {
		QueueURL                string `json:"QueueUrl"`
		MessageBody             string
		MessageSystemAttributes map[string]struct{ StringValue string }
	}
	_ = json.Unmarshal(body, &m) // the server refuses anything else
	r := f.run
	s := r.books.sending(m.MessageBody, m.MessageSystemAttributes["AWSTraceHeader"].StringValue, strings.HasSuffix(m.QueueURL, "-dead"))
	if r.dice.roll("send refused", s.roll) < 0.03 {
		w.Header().Set("X-Amzn-Errortype", "ThrottlingException")
		http.Error(w, "{}", http.StatusBadRequest)
		return
	}
	answer := f.plain.forward(in, body)
	lost := r.dice.roll("send lost", s.roll) < 0.03
	r.books.sent(s, answer.Code == http.StatusOK, lost || in.Context().Err() != nil)
	if lost {
		panic(http.ErrAbortHandler)
	}
	write(w, answer)
}

// String writes the account as a table.
func (a *acceptedAccount) String() string {
	var b strings.Builder
	row := func(n int, text string) { fmt.Fprintf(&b, "%8d  %s\n", n, text) }
	b.WriteString("Webhooks that were accepted first and processed later\n")
	row(a.Accepted, "accepted")
	row(a.Repeated, "sends that were not acknowledged, and were repeated")
	row(a.Redriven, "dead letters put back by expressway redrive")
	row(a.Once, "succeeded once")
	row(a.More, "succeeded more than once")
	for _, why := range slices.Sorted(maps.Keys(a.Twice)) {
		row(a.Twice[why], "  "+why)
	}
	b.WriteString("\nWhat happened to them\n")
	for _, why := range slices.Sorted(maps.Keys(a.Why)) {
		row(a.Why[why], why)
	}
	for _, wrong := range a.Wrong {
		b.WriteString("WRONG: " + wrong + "\n")
	}
	return b.String()
}
