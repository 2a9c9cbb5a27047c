package bridge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// A Queue is where a route puts its deliveries, whose executions start later.
type Queue struct {
	// Address is the queue's URL or ARN.
	Address string
	// Within bounds the time for accepting a delivery; zero leaves the bound to the
	// platform.
	Within time.Duration
}

// An Acceptor puts deliveries into queues. Its error is a *[Failure], whose
// [Class] says whether the delivery may have been put there. Implementations are safe for
// concurrent use and honour the context's deadline.
type Acceptor interface {
	// Accept returns the id of the message.
	Accept(ctx context.Context, a Acceptance) (messageID string, err error)
}

// An Acceptance is a delivery that was admitted, and will be processed later.
type Acceptance struct {
	// Queue is the URL or the ARN of the queue that takes it.
	Queue    string
	Envelope Envelope
	// TraceHeader, FallbackTrace and TraceParent are those of the [Delivery].
	TraceHeader, FallbackTrace, TraceParent string
}

// EnvelopeVersion is the version of envelopes that are written; other versions are not
// read.
const EnvelopeVersion = 1

// An Envelope is the content of a queue's message for an accepted delivery: everything
// that is needed to start its execution.
type Envelope struct {
	Version    int    `json:"v"`
	Route      string `json:"route"`
	DeliveryID string `json:"deliveryId"`
	// Trace is the X-Ray trace header of the webhook's invocation; may be empty.
	Trace string `json:"trace,omitempty"`
	// Dedupe is nil for a delivery that is not deduplicated.
	Dedupe *EnvelopeKey `json:"dedupe,omitempty"`
	// Input is the execution's input.
	Input json.RawMessage `json:"input"`
}

// An EnvelopeKey is the dedupe record that an envelope's delivery claims.
type EnvelopeKey struct {
	Record      string `json:"record"`
	Fingerprint string `json:"fingerprint,omitempty"`
}

// Encode returns the envelope as the text of a message. The input's numbers and texts keep
// their spelling, except for two characters that queues refuse.
func (e Envelope) Encode() string {
	input := e.Input
	e.Input = json.RawMessage("0")
	head, _ := json.Marshal(e) // texts: cannot fail
	head = bytes.TrimSuffix(head, []byte("0}"))
	var b strings.Builder
	b.Grow(len(head) + len(input) + 1)
	b.Write(head)
	_, _ = unsendable.WriteString(&b, string(input)) // a Builder does not fail
	b.WriteByte('}')
	return b.String()
}

// unsendable are the noncharacters that JSON allows unescaped but a message does not. They
// can only occur inside texts.
var unsendable = strings.NewReplacer("\uFFFE", `\ufffe`, "\uFFFF", `\uffff`)

// DecodeEnvelope reads the text of a message. The error does not quote it.
func DecodeEnvelope(text string) (Envelope, error) {
	var e Envelope
	switch err := json.Unmarshal([]byte(text), &e); {
	case err != nil:
		return Envelope{}, errors.New("the message is not an envelope of an accepted delivery")
	case e.Version != EnvelopeVersion:
		return Envelope{}, errors.New("the message is not an envelope of this version of Expressway")
	case e.Route == "" || len(e.Input) == 0 || e.Dedupe != nil && e.Dedupe.Record == "":
		return Envelope{}, errors.New("the envelope is incomplete")
	}
	return e, nil
}

// accept puts an admitted delivery into the queue. Its dedupe key is claimed only when it
// is processed.
func (b *Bridge) accept(ctx context.Context, d *Delivery, scope *Scope, input json.RawMessage) Result {
	if b.acceptor == nil {
		return Result{Failure: NewFailure(Misconfigured, "the route has a queue, but there is no client for queues", nil)}
	}
	record, err := b.dedupeRecord(ctx, d, scope)
	if err != nil {
		return Result{Failure: unstarted(ctx, err)}
	}
	e := Envelope{Version: EnvelopeVersion, Route: d.Route.Name, DeliveryID: d.ID, Dedupe: record, Input: input}
	id, err := b.acceptor.Accept(ctx, Acceptance{
		Queue: d.Route.Queue.Address, Envelope: e,
		TraceHeader: d.TraceHeader, FallbackTrace: d.FallbackTrace, TraceParent: d.TraceParent,
	})
	if err != nil {
		return Result{Failure: AsFailure(err)}
	}
	return Result{Accepted: id}
}
