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

// An acceptedAccount says what became of webhooks that were accepted first.
type acceptedAccount struct {
	// Accepted of the webhooks were acknowledged, after Repeated sends that were not.
	Accepted, Repeated int
	// Redriven dead letters were put back.
	Redriven int
	// Once and More are the webhooks by how often they succeeded; Why says how often what
	// befell them that may let one run again, and Twice of More which of it.
	Once, More int
	Why, Twice map[string]int
	// Wrong is what must not be: empty in an account that balances.
	Wrong []string
}

// acceptedFront stands before the server that plays SQS: it refuses some of the sends, and
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
	var message struct {
		QueueURL    string `json:"QueueUrl"`
		MessageBody string
	}
	_ = json.Unmarshal(body, &message) // what is not a message is refused behind it
	var envelope struct {
		Input struct{ ID string }
	}
	_ = json.Unmarshal([]byte(message.MessageBody), &envelope)
	id, r := envelope.Input.ID, f.run
	r.mu.Lock()
	r.sends[id]++
	a := attempt{id, r.sends[id]}
	r.mu.Unlock()
	if r.dice.roll("send refused", a) < 0.03 {
		w.Header().Set("X-Amzn-Errortype", "ThrottlingException")
		http.Error(w, "{}", http.StatusBadRequest)
		return
	}
	answer := f.plain.forward(in, body)
	if strings.HasSuffix(message.QueueURL, "-dead") && answer.Code == http.StatusOK {
		r.mu.Lock()
		r.letters++
		r.mu.Unlock()
	}
	if r.dice.roll("send lost", a) < 0.03 {
		r.mu.Lock()
		letter := strings.HasSuffix(message.QueueURL, "-dead") || r.account.Accepted == r.o.Webhooks
		r.mu.Unlock()
		if letter {
			r.because(id, whyLetterTwice)
		}
		panic(http.ErrAbortHandler)
	}
	write(w, answer)
}

// balance says what must not be.
func (r *acceptedRun) balance() {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.account
	a.Twice = map[string]int{}
	for i := range r.o.Webhooks {
		id := fmt.Sprintf("w-%05d", i)
		switch n := r.done[id]; {
		case n == 0:
			a.Wrong = append(a.Wrong, id+" was accepted and is lost")
		case n == 1:
			a.Once++
		default:
			a.More++
			explained := false
			for why := range r.reasons[id] {
				if i%2 == 1 && maySendAgain[why] {
					continue // the route has dedupe, which makes those one
				}
				explained = true
				a.Twice[why]++
			}
			if !explained {
				a.Wrong = append(a.Wrong, fmt.Sprintf("%s succeeded %d times, for no reason that explains it", id, n))
			}
		}
	}
	if a.Accepted != r.o.Webhooks {
		a.Wrong = append(a.Wrong, fmt.Sprintf("%d of %d webhooks were accepted", a.Accepted, r.o.Webhooks))
	}
	slices.Sort(a.Wrong)
}

// String writes the account as a table.
func (a *acceptedAccount) String() string {
	var b strings.Builder
	row := func(n int, text string) { fmt.Fprintf(&b, "%8d  %s\n", n, text) }
	b.WriteString("Webhooks that were accepted first, and worked on later\n")
	row(a.Accepted, "accepted")
	row(a.Repeated, "sends that were not acknowledged, and were repeated")
	row(a.Redriven, "dead letters put back by expressway redrive")
	row(a.Once, "succeeded once")
	row(a.More, "succeeded more than once")
	for _, why := range slices.Sorted(maps.Keys(a.Twice)) {
		row(a.Twice[why], "  "+why)
	}
	b.WriteString("What befell them\n")
	for _, why := range slices.Sorted(maps.Keys(a.Why)) {
		row(a.Why[why], why)
	}
	for _, wrong := range a.Wrong {
		b.WriteString("WRONG: " + wrong + "\n")
	}
	return b.String()
}
