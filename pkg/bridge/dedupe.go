package bridge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// DefaultRemember is how long a finished delivery is remembered unless the route says
// otherwise. It covers the retries of most senders; Stripe's continue for three days.
const DefaultRemember = 24 * time.Hour

// A Dedupe says how a route recognizes a delivery that it has seen before.
type Dedupe struct {
	// Key makes the key, which is scoped to the route. If it yields nothing, null or the
	// empty string, the delivery is not deduplicated.
	Key *Template
	// For is how long a finished delivery is remembered; zero is [DefaultRemember].
	For time.Duration
	// Claim is the longest that an execution of the route may run; zero is [MaxWait]. An
	// attempt whose end is unknown, because the function was killed or the answer was
	// lost, holds the key for that long after the last moment at which its start may have
	// been sent.
	Claim time.Duration
	// WithBody makes the body part of the key. It is for senders that do not sign the id:
	// anyone who replays a captured body could choose another id.
	WithBody bool
	// StartUnchecked starts the execution when the store does not answer; otherwise
	// nothing starts, and the failure is [Unavailable].
	StartUnchecked bool
}

func (d *Dedupe) remember() time.Duration {
	if d.For > 0 {
		return d.For
	}
	return DefaultRemember
}

func (d *Dedupe) claim() time.Duration {
	if d.Claim > 0 {
		return d.Claim
	}
	return MaxWait
}

// A DedupeState is what a store knows about a key.
type DedupeState int

// The states of a [Record].
const (
	// Claimed says that the key was free, and is now the caller's.
	Claimed DedupeState = iota
	// Held says that another attempt holds the key.
	Held
	// Completed says that a delivery with the key was answered for good.
	Completed
)

// A Claim is a delivery's request for a key.
type Claim struct {
	// Key consists of the route's name and a hash, and never holds payload.
	Key string
	// Fingerprint is a hash of the delivery; an empty one is not compared.
	Fingerprint string
	// Until is when another attempt may take the key if this one never concludes. By
	// then, no execution that this one started can still be running.
	Until time.Time
	// Expires is when the record may be forgotten: never before Until.
	Expires time.Time
}

// A Record is a store's answer to a [Claim].
type Record struct {
	State DedupeState
	// Fingerprint and Until are those of the claim that holds the key.
	Fingerprint string
	Until       time.Time
	// Answer is what [DedupeStore.Complete] was given.
	Answer []byte
}

// A DedupeStore remembers deliveries. A record has the three states of Powertools'
// idempotency: absent, in progress until a time, and completed. Implementations are safe
// for concurrent use, including by several processes if the store is shared; any error
// means that nothing is known.
type DedupeStore interface {
	// Claim takes the key when it is free: absent, forgotten, or in progress beyond its
	// time. Exactly one of several simultaneous claims is [Claimed].
	Claim(ctx context.Context, c Claim) (Record, error)
	// Complete keeps the answer of the claim that holds the key, until c.Expires, which
	// may have changed since. It changes nothing when the claim has lost the key to
	// another. An answer that the store cannot keep is an error, but the record is still
	// completed, with null, because a duplicate must start nothing.
	Complete(ctx context.Context, c Claim, answer []byte) error
	// Release frees the key, when the claim still holds it.
	Release(ctx context.Context, c Claim) error
}

// Concluding a claim gets concludeTime, or less if the platform's deadline is nearer, but
// never less than concludeLeast, which is a part of the margin.
const (
	concludeTime  = 2 * time.Second
	concludeLeast = 300 * time.Millisecond
)

// claim takes the delivery's key. A nil claim and a nil Result mean that the route
// or the delivery has none; a Result is the end of the delivery.
func (b *Bridge) claim(ctx context.Context, d *Delivery, scope *Scope) (*Claim, *Result) {
	rule := d.Route.Dedupe
	if rule == nil || d.Route.Queue != nil {
		return nil, nil // the key is claimed when the delivery is processed
	}
	fail := func(f *Failure) (*Claim, *Result) { return nil, &Result{Failure: f} }
	record, err := b.dedupeRecord(ctx, d, scope)
	if err != nil {
		return fail(unstarted(ctx, err))
	}
	if record == nil {
		return nil, nil
	}
	if b.dedupe == nil {
		return fail(NewFailure(Misconfigured, "the route uses dedupe, but there is no dedupe store", nil))
	}
	// The start is sent before the deadline and may run after it, so no second one can
	// run at the same time while the claim lasts, even if the function is killed. The delivery is
	// settled within concludeTime of its deadline, however short the claim is. A record
	// that is forgotten before Until would let a second attempt start; the time to
	// remember begins when the delivery is finished.
	runs := rule.claim()
	if d.Route.Resume != nil {
		runs = 0 // no execution is started that could outlive the delivery
	}
	until := scope.deadline.Add(max(runs, concludeTime))
	c := &Claim{Key: record.Record, Fingerprint: record.Fingerprint, Until: until, Expires: until.Add(rule.remember())}
	rec, err := b.dedupe.Claim(ctx, *c)
	switch {
	case err != nil && rule.StartUnchecked:
		b.log.LogAttrs(ctx, slog.LevelWarn, "dedupe store did not answer; starting unchecked",
			append(d.LogAttrs(), slog.String("reason", err.Error()))...)
		return nil, nil
	case err != nil:
		return fail(&Failure{Name: Unavailable, Cause: "the dedupe store did not answer", Err: err, RetryAfter: 5 * time.Second})
	case rec.State == Claimed:
		return c, nil
	case rec.Fingerprint != "" && c.Fingerprint != "" && rec.Fingerprint != c.Fingerprint:
		return fail(NewFailure(DedupeMismatch, "a delivery with this key had another body", nil))
	case rec.State == Completed:
		return nil, &Result{Replayed: true, Replay: rec.Answer}
	}
	return fail(b.inProgress(rule, rec.Until))
}

// inProgress returns a failure with the time when a retry is worthwhile. The other
// attempt is normally settled by its deadline; if it is not, it was killed or lost its
// answer, and the claim has to lapse.
func (b *Bridge) inProgress(rule *Dedupe, until time.Time) *Failure {
	wait := until.Sub(b.now())
	if settled := wait - rule.claim(); settled > 0 {
		wait = settled
	}
	return &Failure{
		Name: InProgress, Cause: "a delivery with this key is in progress, or may still be running",
		RetryAfter: max(wait, time.Second), ClaimedUntil: until,
	}
}

// dedupeRecord returns the dedupe record of a delivery, or nil if it has none. An
// accepted delivery brings its record along.
func (b *Bridge) dedupeRecord(ctx context.Context, d *Delivery, scope *Scope) (*EnvelopeKey, error) {
	rule := d.Route.Dedupe
	switch {
	case rule == nil:
		return nil, nil
	case d.Accepted:
		return d.Key, nil
	}
	key, err := dedupeKey(ctx, rule, scope)
	if key == nil || err != nil {
		return nil, err
	}
	b.step(ctx, d, "dedupe", string(key))
	var r EnvelopeKey
	if d.Fingerprint != nil {
		sum := sha256.Sum256(d.Fingerprint())
		r.Fingerprint = hex.EncodeToString(sum[:])
	}
	if rule.WithBody {
		key = append(append(key[:len(key):len(key)], 0), r.Fingerprint...)
	}
	r.Record = DedupeRecord(d.Route.Name, key)
	return &r, nil
}

// DedupeKey returns the name of the dedupe record that a delivery would claim, and claims
// nothing. It is empty if the route or the delivery has no key.
func (b *Bridge) DedupeKey(ctx context.Context, d *Delivery) (string, error) {
	ctx, cancel := b.withDeadline(ctx, d.Route)
	defer cancel()
	record, err := b.dedupeRecord(ctx, d, newScope(ctx, b, d))
	if record == nil || err != nil {
		return "", err
	}
	return record.Record, nil
}

// DedupeRecord returns the name under which a store keeps the record of a route's key;
// the name never holds payload. The key is what the expression yields: text as it is,
// anything else as JSON. With [Dedupe].WithBody, a zero byte and the fingerprint follow.
func DedupeRecord(route string, key []byte) string {
	sum := sha256.Sum256(key)
	return route + "#" + hex.EncodeToString(sum[:])
}

// dedupeKey returns nil if the delivery has no key.
func dedupeKey(ctx context.Context, rule *Dedupe, scope *Scope) ([]byte, error) {
	v, err := rule.Key.evalOptional(ctx, scope)
	if err != nil {
		return nil, err
	}
	switch v := jsonata.Force(v).(type) {
	case nil:
		return nil, nil
	case string:
		if v == "" {
			return nil, nil
		}
		return []byte(v), nil
	default:
		if v == jsonata.Undefined {
			return nil, nil
		}
		text, err := jsonata.AppendJSON(nil, v)
		if err != nil {
			return nil, NewFailure(ExpressionFailed, "dedupe.key yields a value that JSON cannot represent", nil)
		}
		return text, nil
	}
}

// conclude ends the claim of a settled delivery as soon as its end is certain: the record
// is kept with its answer if the delivery has ended, and freed if not. While it is
// unknown whether an execution is running, the claim is left unchanged, and expires.
func (b *Bridge) conclude(ctx context.Context, d *Delivery, r Result, s Settlement) {
	ambiguous := r.Failure != nil && r.Failure.Class() == Ambiguous
	if r.claim == nil || ambiguous && d.Route.Resume == nil {
		if s.Beside != nil {
			s.Beside()
		}
		return
	}
	// A task is completed once, however often its token is sent, so there is nothing to
	// wait for.
	s.Final = s.Final && !ambiguous
	ctx, cancel := b.concluding(ctx)
	defer cancel()
	claim := *r.claim
	write := func() error { return b.dedupe.Release(ctx, claim) }
	what := "release"
	if s.Final {
		what = "complete"
		answer := []byte("null")
		if s.Answer != nil {
			answer = s.Answer()
		}
		claim.Expires = b.now().Add(d.Route.Dedupe.remember())
		write = func() error { return b.dedupe.Complete(ctx, claim, answer) }
	}
	if err := whileDoing(s.Beside, write); err != nil {
		b.log.LogAttrs(ctx, slog.LevelError, "dedupe record not written",
			append(d.LogAttrs(), slog.String("operation", what), slog.String("reason", fmt.Sprint(err)))...)
	}
}

// whileDoing calls write, and runs work in another goroutine at the same time. The write
// is started first, because there may be only one processor. It returns when both have
// ended, because Lambda freezes the function once it has answered. A panic of work is
// raised again in the caller.
func whileDoing(work func(), write func() error) error {
	if work == nil {
		return write()
	}
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		work()
	}()
	err := func() error {
		defer func() {
			if p := <-done; p != nil {
				panic(p)
			}
		}()
		return write()
	}()
	return err
}

// concluding returns the context in which a claim is concluded. The delivery's own time
// may be up, but the result must still be stored.
func (b *Bridge) concluding(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := concludeTime
	if deadline, ok := ctx.Deadline(); ok {
		limit = max(concludeLeast, min(limit, deadline.Sub(b.now())-concludeLeast))
	}
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}
