package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// How long a [Cache] keeps what it fetched, unless its Options say otherwise.
const (
	// DefaultTTL is how long a value is valid before it is fetched again.
	DefaultTTL = 5 * time.Minute
	// staleLimit is how long a value stays valid after it was fetched, while the service
	// cannot be reached.
	staleLimit = time.Hour
	// errorTTL and staleTTL are how long a failure is remembered, without and with an old
	// value: in the meantime, requests do not each wait for a service that is down.
	errorTTL = 5 * time.Second
	staleTTL = 30 * time.Second
	// refreshInterval bounds how often one secret is fetched because of failed
	// verifications, which anybody can cause.
	refreshInterval = 30 * time.Second
	// FetchLimit bounds one fetch with its retries: senders only wait a few seconds.
	FetchLimit = 2500 * time.Millisecond
)

// A Fetcher fetches the secrets of one scheme from where they are stored. It looks at the
// reference's Name and Stage; its Key is taken from what Fetch returns. An error that
// wraps [ErrMissing], [ErrNoVersion] or [ErrDenied] is final: a value that was known
// before is no longer valid. Any other error may be temporary. Implementations are safe
// for concurrent use, honour the context, and quote no values in errors.
type Fetcher interface {
	Fetch(ctx context.Context, ref Reference) (Secret, error)
}

// A Creator creates secrets that do not exist yet. An error that wraps [ErrExists] means
// that the secret exists; it is not changed. A [Cache] is a Creator for the schemes whose
// fetchers are.
type Creator interface {
	Create(ctx context.Context, ref Reference, secret Secret) error
}

// Options configure a [Cache].
type Options struct {
	// Getenv reads the variables of env: references, at each call; nil is [os.Getenv].
	Getenv func(string) string
	// Fetchers fetch the secrets of the other schemes; a scheme without one is refused
	// with [ErrUnsupported].
	Fetchers map[Scheme]Fetcher
	// TTL is how long a fetched value is valid; zero is [DefaultTTL].
	TTL time.Duration
	// Now is the clock; nil is the real one.
	Now func() time.Time
	// Log receives a warning for each value that is used beyond its TTL; nil discards them.
	Log *slog.Logger
}

// A Cache is the [Source] of all schemes. Remote secrets are fetched on first use, once
// for all concurrent callers, and again after the TTL:
//
//	fetched          valid for the TTL
//	service fails    the old value stays valid, up to StaleLimit; without one the error, briefly
//	gone or denied   the old value is dropped at once
//
// It is safe for concurrent use.
type Cache struct {
	env      Source
	fetchers map[Scheme]Fetcher
	ttl      time.Duration
	now      func() time.Time
	log      *slog.Logger

	mu      sync.Mutex
	entries map[Reference]*entry // by the reference without its key
}

var _ Source = (*Cache)(nil)

// NewSource returns a Cache. It fetches nothing.
func NewSource(o Options) *Cache {
	c := &Cache{
		env: NewEnv(o.Getenv), fetchers: o.Fetchers, ttl: o.TTL, now: o.Now, log: o.Log,
		entries: map[Reference]*entry{},
	}
	if c.ttl <= 0 {
		c.ttl = DefaultTTL
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Get implements [Source].
func (c *Cache) Get(ctx context.Context, ref Reference) (Secret, error) {
	if !ref.Remote() {
		return c.env.Get(ctx, ref)
	}
	e, err := c.entry(ref)
	if err != nil {
		return Secret{}, err
	}
	e.mu.Lock()
	doc, err := e.doc, e.err
	if !c.now().Before(e.until) {
		call := e.join(ctx)
		e.mu.Unlock()
		doc, err = call.wait(ctx)
	} else {
		e.mu.Unlock()
	}
	if doc != nil {
		return doc.pick(ref)
	}
	return Secret{}, fmt.Errorf("%s: %w", ref, err)
}

// Create implements [Creator], if the fetcher of the reference's scheme does.
func (c *Cache) Create(ctx context.Context, ref Reference, secret Secret) error {
	creator, ok := c.fetchers[ref.Scheme].(Creator)
	if !ok {
		return fmt.Errorf("%s: %w: it cannot be created here", ref, ErrUnsupported)
	}
	err := creator.Create(ctx, ref, secret)
	if err != nil && !errors.Is(err, ErrExists) {
		return fmt.Errorf("%s: %w", ref, err)
	}
	// In either case, forget that there was no secret.
	if e, known := c.entry(ref); known == nil {
		e.mu.Lock()
		e.until = time.Time{}
		e.mu.Unlock()
	}
	return err
}

// Check reports what is wrong with a reference as far as that can be known without asking
// a service: its scheme is not one of the source's, or a variable is not set. Services
// are only called by the first Get.
func (c *Cache) Check(ref Reference) error {
	if ref.Remote() {
		_, err := c.entry(ref)
		return err
	}
	_, err := c.env.Get(context.Background(), ref)
	return err
}

// Refresh is called after a failed verification: it fetches the secrets again that may
// have been rotated in the meantime, each at most once in [refreshInterval], and reports
// whether one of them has changed within that time. Only then can another verification
// end differently.
func (c *Cache) Refresh(ctx context.Context, refs ...Reference) bool {
	now := c.now()
	type pending struct {
		*entry
		call *call
	}
	var list []pending
	for _, ref := range refs {
		if !ref.Remote() {
			continue
		}
		e, err := c.entry(ref)
		if err != nil {
			continue
		}
		p := pending{entry: e}
		e.mu.Lock()
		if e.call != nil || e.refreshed.IsZero() || now.Sub(e.refreshed) >= refreshInterval {
			e.refreshed = now
			p.call = e.join(ctx)
		}
		e.mu.Unlock()
		list = append(list, p)
	}
	changed := false
	for _, p := range list {
		if p.call != nil {
			_, _ = p.call.wait(ctx) // after a failure, the known values stay
		}
		p.mu.Lock()
		// Another request may have found the change since this one looked.
		changed = changed || !p.changed.IsZero() && now.Sub(p.changed) < refreshInterval
		p.mu.Unlock()
	}
	return changed
}

// entry returns the entry of the reference's whole secret, since several references may
// name its keys.
func (c *Cache) entry(ref Reference) (*entry, error) {
	if c.fetchers[ref.Scheme] == nil {
		return nil, fmt.Errorf("%s: %w here", ref, ErrUnsupported)
	}
	ref.Key = ""
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[ref]
	if e == nil {
		e = &entry{cache: c, ref: ref}
		c.entries[ref] = e
	}
	return e, nil
}

// An entry is the state of one secret.
type entry struct {
	cache *Cache
	ref   Reference

	mu        sync.Mutex
	doc       *document // the valid value, or nil
	err       error     // of the last fetch
	until     time.Time // when to fetch again
	fetched   time.Time // when doc was fetched
	changed   time.Time // when a fetch last found a different value
	refreshed time.Time // when Refresh last asked
	known     bool      // whether it has been fetched
	call      *call     // the fetch in progress, or nil
}

// A call is one fetch and what it found.
type call struct {
	done chan struct{}
	doc  *document
	err  error
}

func (c *call) wait(ctx context.Context) (*document, error) {
	select {
	case <-c.done:
		return c.doc, c.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// join returns the fetch in progress, and starts one if there is none. The caller holds
// e.mu. A fetch serves everybody who waits for it, so it does not end with the context of
// the first caller.
func (e *entry) join(ctx context.Context) *call {
	if e.call != nil {
		return e.call
	}
	call := &call{done: make(chan struct{})}
	e.call = call
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), FetchLimit)
		defer cancel()
		secret, err := e.cache.fetchers[e.ref.Scheme].Fetch(ctx, e.ref)
		if err == nil && secret.IsZero() {
			err = ErrMissing
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		e.settle(ctx, secret, err)
		call.doc, call.err = e.doc, e.err
		e.call = nil
		close(call.done)
	}()
	return call
}

// settle stores the result of a fetch. The caller holds e.mu.
func (e *entry) settle(ctx context.Context, secret Secret, err error) {
	now := e.cache.now()
	final := errors.Is(err, ErrMissing) || errors.Is(err, ErrNoVersion) || errors.Is(err, ErrDenied)
	before, until := e.doc, e.until
	e.until, e.err = now.Add(errorTTL), err
	switch {
	case err == nil:
		if e.doc == nil || e.doc.whole != secret {
			e.doc = newDocument(secret)
		}
		e.fetched, e.until = now, now.Add(e.cache.ttl)
	case final:
		e.doc = nil
		if errors.Is(err, ErrNoVersion) {
			e.until = now.Add(e.cache.ttl) // the usual state of a secret that was never rotated
		}
	case e.doc != nil && now.Sub(e.fetched) < staleLimit:
		// A failed Refresh does not shorten the time that is left.
		e.until = now.Add(staleTTL)
		if until.After(e.until) {
			e.until = until
		}
		e.cache.log.LogAttrs(ctx, slog.LevelWarn, "secret not refreshed; the old value stays in use",
			slog.String("reference", e.ref.String()), slog.Duration("age", now.Sub(e.fetched)), slog.String("reason", err.Error()))
	default:
		e.doc = nil
	}
	if e.known && e.doc != before {
		e.changed = now
	}
	e.known = true
}

// A document is a secret as it was fetched, with its members if it is a JSON object.
type document struct {
	whole   Secret
	members map[string]Secret
}

func newDocument(whole Secret) *document {
	d := &document{whole: whole}
	var object map[string]any
	// The decoder's error could quote the text; pick reports that it is not an object.
	if json.Unmarshal([]byte(whole.text), &object) == nil {
		d.members = make(map[string]Secret, len(object))
		for name, v := range object {
			if text, ok := v.(string); ok {
				d.members[name] = Secret{text}
			}
		}
	}
	return d
}

func (d *document) pick(ref Reference) (Secret, error) {
	if ref.Key == "" {
		return d.whole, nil
	}
	s := d.members[ref.Key]
	switch {
	case d.members == nil:
		return Secret{}, fmt.Errorf("%s: %w: it is not a JSON object", ref, ErrMissing)
	case s.IsZero():
		return Secret{}, fmt.Errorf("%s: %w: the JSON object has no text there", ref, ErrMissing)
	}
	return s, nil
}
