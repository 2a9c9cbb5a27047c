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

// How long a [Cache] trusts what it knows, unless its Options say otherwise.
const (
	// DefaultTTL is how long a value is valid before it is fetched again.
	DefaultTTL = 5 * time.Minute
	// StaleLimit is how long a value counts, from when it was fetched, while the
	// service cannot be reached.
	StaleLimit = time.Hour
	// errorTTL and staleTTL are how long a failure is remembered, without and with an old
	// value: requests that come meanwhile do not each wait for a service that is down.
	errorTTL = 5 * time.Second
	staleTTL = 30 * time.Second
	// RefreshInterval is how often, at most, one secret is fetched for the sake of failed
	// verifications; anybody can send those.
	RefreshInterval = 30 * time.Second
	// FetchLimit bounds one fetch with its retries: senders wait a few seconds only.
	FetchLimit = 2500 * time.Millisecond
)

// A Fetcher gets the secrets of one scheme from where they lie. It looks at the
// reference's Name and Stage; its Key is taken from what Fetch returns. An error that
// wraps [ErrMissing], [ErrNoVersion] or [ErrDenied] is final: the value that was known
// before no longer counts. Any other error may pass. Implementations are safe for
// concurrent use, honour the context, and quote no values in errors.
type Fetcher interface {
	Fetch(ctx context.Context, ref Reference) (Secret, error)
}

// Options say where secrets come from.
type Options struct {
	// Getenv reads the variables of env: references, at each call.
	Getenv func(string) string
	// Fetchers get the others; a scheme without one is refused with [ErrUnsupported].
	Fetchers map[Scheme]Fetcher
	// TTL is how long a fetched value counts; zero is [DefaultTTL].
	TTL time.Duration
	// Now is the clock; nil is the real one.
	Now func() time.Time
	// Log receives a warning for each value that is used beyond its TTL; nil discards them.
	Log *slog.Logger
}

// A Cache is the [Source] of all schemes. What asks a service is fetched on first use,
// once for however many callers, and again when its time is up:
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

// Check reports what is wrong with a reference as far as that can be known without
// asking a service: its scheme is not one of the source's, or a variable is not set.
// What asks a service is left to the first Get.
func (c *Cache) Check(ref Reference) error {
	if ref.Remote() {
		_, err := c.entry(ref)
		return err
	}
	_, err := c.env.Get(context.Background(), ref)
	return err
}

// Refresh is for a verification that failed: it fetches the secrets again that may
// have been rotated meanwhile, each at most once in [RefreshInterval], and reports
// whether one of them changed not longer ago than that. Then, and only then, another
// look can end differently.
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
		if e.call != nil || e.refreshed.IsZero() || now.Sub(e.refreshed) >= RefreshInterval {
			e.refreshed = now
			p.call = e.join(ctx)
		}
		e.mu.Unlock()
		list = append(list, p)
	}
	changed := false
	for _, p := range list {
		if p.call != nil {
			_, _ = p.call.wait(ctx) // a failure leaves what was known
		}
		p.mu.Lock()
		// The change may be another request's find, made since this one looked.
		changed = changed || !p.changed.IsZero() && now.Sub(p.changed) < RefreshInterval
		p.mu.Unlock()
	}
	return changed
}

// entry returns the place of the reference's whole secret: of its keys there may be
// several references.
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

// An entry is what is known of one secret.
type entry struct {
	cache *Cache
	ref   Reference

	mu        sync.Mutex
	doc       *document // the value that counts, or nil
	err       error     // of the last fetch
	until     time.Time // when to fetch again
	fetched   time.Time // when doc was fetched
	changed   time.Time // when the last fetch found something else than the one before
	refreshed time.Time // when Refresh last asked
	known     bool      // there was a fetch
	call      *call     // the fetch that runs, or nil
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

// join returns the fetch that runs, and starts one where none does. The caller holds
// e.mu. A fetch serves all who wait for it, so it does not end with the first's context.
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

// settle keeps what a fetch found. The caller holds e.mu.
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
	case e.doc != nil && now.Sub(e.fetched) < StaleLimit:
		// A Refresh that fails takes nothing from the time that is left.
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

// A document is a secret as it was fetched, and its members where it is a JSON object.
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
