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

// A Dedupe says how a route knows a delivery that came before (design, section 7).
type Dedupe struct {
	// Key makes the key, which counts within the route. Where it yields nothing, null
	// or the empty string, the delivery is not deduplicated.
	Key *Template
	// For is how long a finished delivery is remembered.
	For time.Duration
	// WithBody makes the body a part of the key: the sender's id is not signed, and
	// whoever replays a captured body could choose another.
	WithBody bool
	// StartUnchecked starts the execution when the store does not answer; otherwise
	// nothing starts, and the failure is [Unavailable].
	StartUnchecked bool
}

// A DedupeState is what a store knows of a key.
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

// A Claim is what a delivery wants of a store.
type Claim struct {
	// Key holds the route's name and a hash: never payload.
	Key string
	// Fingerprint is a hash of what was delivered; empty is not compared.
	Fingerprint string
	// Until is when another attempt may take the key, should this one never conclude.
	Until time.Time
	// Expires is when the record may be forgotten: never before Until.
	Expires time.Time
}

// A Record is what a store answers to a [Claim].
type Record struct {
	State DedupeState
	// Fingerprint and Until are those of the claim that holds the key.
	Fingerprint string
	Until       time.Time
	// Answer is what [DedupeStore.Complete] was given.
	Answer []byte
}

// A DedupeStore remembers deliveries. A record has the three states of Powertools'
// idempotency: absent, in progress until a time, and completed. Implementations are
// safe for concurrent use, also from several processes where they are shared; any
// error means that nothing is known.
type DedupeStore interface {
	// Claim takes the key when it is free: absent, forgotten, or in progress beyond its
	// time. Of claims at once exactly one is [Claimed].
	Claim(ctx context.Context, c Claim) (Record, error)
	// Complete keeps the answer of the claim that holds the key, until c.Expires, which
	// may have changed since. It changes nothing when the claim has lost the key to
	// another. An answer that the store cannot keep is an error, and the record is
	// completed with null all the same: a duplicate must start nothing.
	Complete(ctx context.Context, c Claim, answer []byte) error
	// Extend lets the claim hold the key until a later time, and sets c.Expires.
	Extend(ctx context.Context, c Claim, until time.Time) error
	// Release frees the key, when the claim still holds it.
	Release(ctx context.Context, c Claim) error
}

// What is left to do with a claim once the answer is known gets concludeTime where the
// platform leaves that much, and concludeLeast, a part of the margin, where it does not.
const (
	concludeTime  = 2 * time.Second
	concludeLeast = 300 * time.Millisecond
)

// claim takes the delivery's key. A nil claim and a nil Result mean that the route
// or the delivery has none; a Result is the end of the delivery.
func (b *Bridge) claim(ctx context.Context, d *Delivery, scope *Scope) (*Claim, *Result) {
	rule := d.Route.Dedupe
	if rule == nil {
		return nil, nil
	}
	fail := func(f *Failure) (*Claim, *Result) { return nil, &Result{Failure: f} }
	key, err := dedupeKey(ctx, rule, scope)
	if err != nil {
		return fail(unstarted(ctx, err))
	}
	if key == nil {
		return nil, nil
	}
	if b.dedupe == nil {
		return fail(NewFailure(Misconfigured, "the route has dedupe, and there is no store", nil))
	}
	now := b.now()
	// At the deadline itself another could take the key before it is extended. And a
	// record that is forgotten before Until would let a second attempt start beside the
	// first; the time to remember begins when the delivery is finished.
	until := scope.deadline.Add(concludeTime)
	c := &Claim{Until: until, Expires: until.Add(rule.For)}
	if d.Fingerprint != nil {
		sum := sha256.Sum256(d.Fingerprint())
		c.Fingerprint = hex.EncodeToString(sum[:])
	}
	if rule.WithBody {
		key = append(append(key, 0), c.Fingerprint...)
	}
	sum := sha256.Sum256(key)
	c.Key = d.Route.Name + "#" + hex.EncodeToString(sum[:])
	rec, err := b.dedupe.Claim(ctx, *c)
	switch {
	case err != nil && rule.StartUnchecked:
		b.log.LogAttrs(ctx, slog.LevelWarn, "dedupe store did not answer; starting unchecked",
			slog.String("route", d.Route.Name), slog.String("delivery", d.ID), slog.String("reason", err.Error()))
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
	return fail(&Failure{Name: InProgress, Cause: "a delivery with this key is being worked on", RetryAfter: max(rec.Until.Sub(now), time.Second)})
}

// dedupeKey returns nil for no key.
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
			return nil, NewFailure(ExpressionFailed, "dedupe.key: yields a value that JSON cannot hold", nil)
		}
		return text, nil
	}
}

// conclude ends the claim of a settled delivery: kept with its answer when the sender
// is not asked to come again, held for as long as the execution may still run when
// nobody knows, else freed.
func (b *Bridge) conclude(ctx context.Context, d *Delivery, r Result, s Settlement) {
	if r.claim == nil {
		return
	}
	ctx, cancel := b.concluding(ctx)
	defer cancel()
	claim, remember := *r.claim, d.Route.Dedupe.For
	var err error
	what := "release"
	switch {
	case r.Failure != nil && r.Failure.Class() == Ambiguous:
		what = "extend"
		// Whatever was started was sent by now, and cannot run longer than that.
		sent := r.Failure.Sent
		if sent.IsZero() {
			sent = b.now()
		}
		until := sent.Add(MaxWait)
		claim.Expires = until.Add(remember)
		err = b.dedupe.Extend(ctx, claim, until)
	case s.Final:
		what = "complete"
		answer := []byte("null")
		if s.Answer != nil {
			answer = s.Answer()
		}
		claim.Expires = b.now().Add(remember)
		err = b.dedupe.Complete(ctx, claim, answer)
	default:
		err = b.dedupe.Release(ctx, claim)
	}
	if err != nil {
		b.log.LogAttrs(ctx, slog.LevelError, "dedupe record not written",
			slog.String("route", d.Route.Name), slog.String("delivery", d.ID),
			slog.String("operation", what), slog.String("reason", fmt.Sprint(err)))
	}
}

// concluding returns the context of what is left to do. The delivery's own time may be
// up; what it came to must be kept all the same.
func (b *Bridge) concluding(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := concludeTime
	if deadline, ok := ctx.Deadline(); ok {
		limit = max(concludeLeast, min(limit, deadline.Sub(b.now())-concludeLeast))
	}
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}
