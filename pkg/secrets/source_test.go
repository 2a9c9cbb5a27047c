package secrets_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/expressway-dev/expressway/pkg/secrets"
)

// A fetcherFunc gets secrets in a test.
type fetcherFunc func(ctx context.Context, ref secrets.Reference) (secrets.Secret, error)

var _ secrets.Fetcher = fetcherFunc(nil)

func (f fetcherFunc) Fetch(ctx context.Context, ref secrets.Reference) (secrets.Secret, error) {
	return f(ctx, ref)
}

// A store is a service whose answer can be changed.
type store struct {
	mu    sync.Mutex
	value string
	err   error
	asked int
}

func (s *store) set(value string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.value, s.err = value, err
}

func (s *store) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *store) Fetch(context.Context, secrets.Reference) (secrets.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return secrets.New(s.value), s.err
}

func source(f secrets.Fetcher) *secrets.Cache {
	return secrets.NewSource(secrets.Options{
		Getenv: func(name string) string { return map[string]string{"A": "from the environment"}[name] },
		Fetchers: map[secrets.Scheme]secrets.Fetcher{
			secrets.SecretsManager: f,
		},
	})
}

func reference(t testing.TB, text string) secrets.Reference {
	t.Helper()
	ref, err := secrets.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// want checks what the source has: a value, or the error it wraps.
func want(t *testing.T, src secrets.Source, ref secrets.Reference, value string, wrapped error) {
	t.Helper()
	got, err := src.Get(t.Context(), ref)
	if got.Reveal() != value || !errors.Is(err, wrapped) {
		t.Errorf("Get(%v) = %q, %v, want %q, %v", ref, got.Reveal(), err, value, wrapped)
	}
}

func TestSourceKeys(t *testing.T) {
	t.Parallel()
	const object = `{"current":"c","previous":"p","number":7,"empty":"","nested":{"a":"b"}}`
	for text, test := range map[string]struct {
		stored, value string
		err           error
	}{
		"env:A":                                 {"", "from the environment", nil},
		"env:B":                                 {"", "", secrets.ErrMissing},
		"secretsmanager:gh#current":             {object, "c", nil},
		"secretsmanager:gh#previous":            {object, "p", nil},
		"secretsmanager:gh#current@AWSPREVIOUS": {object, "c", nil},
		"secretsmanager:gh":                     {object, object, nil},
		"secretsmanager:gh#absent":              {object, "", secrets.ErrMissing},
		"secretsmanager:gh#number":              {object, "", secrets.ErrMissing},
		"secretsmanager:gh#empty":               {object, "", secrets.ErrMissing},
		"secretsmanager:gh#nested":              {object, "", secrets.ErrMissing},
		"secretsmanager:text":                   {"hunter2", "hunter2", nil},
		"secretsmanager:text#key":               {"hunter2", "", secrets.ErrMissing},
		"secretsmanager:list#key":               {`["hunter2"]`, "", secrets.ErrMissing},
		"secretsmanager:broken#key":             {`{"key":"hunter2"`, "", secrets.ErrMissing},
		"secretsmanager:empty":                  {"", "", secrets.ErrMissing},
		"ssm:/not/here":                         {"", "", secrets.ErrUnsupported},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			src := source(&store{value: test.stored})
			got, err := src.Get(t.Context(), reference(t, text))
			if got.Reveal() != test.value || !errors.Is(err, test.err) {
				t.Fatalf("Get = %q, %v, want %q, %v", got.Reveal(), err, test.value, test.err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error quotes the value: %v", err)
			}
		})
	}
}

// A value counts for the TTL, its keys share it, and every stage is a value of its own.
func TestSourceCaches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{value: `{"a":"1","b":"2"}`}
		src := source(s)
		if s.count() != 0 {
			t.Error("something was fetched before it was asked for")
		}
		for range 3 {
			want(t, src, reference(t, "secretsmanager:x#a"), "1", nil)
			want(t, src, reference(t, "secretsmanager:x#b"), "2", nil)
		}
		if got := s.count(); got != 1 {
			t.Errorf("fetched %d times, want once", got)
		}
		want(t, src, reference(t, "secretsmanager:x#a@AWSPREVIOUS"), "1", nil)
		if got := s.count(); got != 2 {
			t.Errorf("fetched %d times with another stage, want 2", got)
		}
		s.set(`{"a":"rotated"}`, nil)
		time.Sleep(secrets.DefaultTTL - time.Nanosecond)
		want(t, src, reference(t, "secretsmanager:x#a"), "1", nil)
		time.Sleep(time.Nanosecond)
		want(t, src, reference(t, "secretsmanager:x#a"), "rotated", nil)
		want(t, src, reference(t, "secretsmanager:x#b"), "", secrets.ErrMissing)
	})
}

// Concurrent calls share one request to the service, and a caller that gives up does not
// cancel it for the others.
func TestSourceFetchesOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var fetches atomic.Int32
		src := source(fetcherFunc(func(ctx context.Context, _ secrets.Reference) (secrets.Secret, error) {
			fetches.Add(1)
			select {
			case <-time.After(time.Second):
				return secrets.New("v"), nil
			case <-ctx.Done():
				return secrets.Secret{}, ctx.Err()
			}
		}))
		ref := reference(t, "secretsmanager:x")
		hasty, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := src.Get(hasty, ref); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Get with a short deadline: %v, want its own deadline", err)
			}
		})
		for range 50 {
			wg.Go(func() {
				time.Sleep(10 * time.Millisecond)
				want(t, src, ref, "v", nil)
			})
		}
		wg.Wait()
		if got := fetches.Load(); got != 1 {
			t.Errorf("fetched %d times, want once", got)
		}
	})
}

// A service that hangs delays callers only up to the limit.
func TestSourceBoundsTheFetch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		src := source(fetcherFunc(func(ctx context.Context, _ secrets.Reference) (secrets.Secret, error) {
			<-ctx.Done()
			return secrets.Secret{}, ctx.Err()
		}))
		began := time.Now()
		want(t, src, reference(t, "secretsmanager:x"), "", context.DeadlineExceeded)
		if took := time.Since(began); took != secrets.FetchLimit {
			t.Errorf("took %v, want %v", took, secrets.FetchLimit)
		}
	})
}

var errDown = errors.New("the service is down")

// Without a value, an error is cached briefly; with a value, the value stays in use for
// an hour, and the log reports the error without the value.
func TestSourceErrorsThatPass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{err: errDown}
		var log strings.Builder
		src := secrets.NewSource(secrets.Options{
			Fetchers: map[secrets.Scheme]secrets.Fetcher{secrets.SSM: s},
			Log:      slog.New(slog.NewTextHandler(&log, nil)),
		})
		ref := reference(t, "ssm:/x")
		for range 10 {
			want(t, src, ref, "", errDown)
		}
		if got := s.count(); got != 1 {
			t.Errorf("asked %d times at once, want once", got)
		}
		s.set("hunter2", nil)
		time.Sleep(5 * time.Second)
		want(t, src, ref, "hunter2", nil)

		s.set("", errDown)
		began := time.Now()
		for time.Since(began) < secrets.StaleLimit {
			want(t, src, ref, "hunter2", nil)
			time.Sleep(10 * time.Second)
		}
		time.Sleep(time.Minute)
		want(t, src, ref, "", errDown)
		if got := s.count(); got > 2+3600/30 {
			t.Errorf("asked %d times in an hour, want at most every 30 s", got)
		}
		if text := log.String(); !strings.Contains(text, "ssm:/x") || strings.Contains(text, "hunter2") {
			t.Errorf("log = %s, want the reference and no value", text)
		}
	})
}

// What is gone or forbidden does not count on.
func TestSourceErrorsThatStay(t *testing.T) {
	t.Parallel()
	for name, final := range map[string]error{
		"gone": secrets.ErrMissing, "no version": secrets.ErrNoVersion, "denied": secrets.ErrDenied, "emptied": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &store{value: "v"}
				src := source(s)
				ref := reference(t, "secretsmanager:x#@AWSPREVIOUS")
				want(t, src, ref, "v", nil)
				s.set("", final)
				time.Sleep(secrets.DefaultTTL)
				if final == nil {
					final = secrets.ErrMissing
				}
				want(t, src, ref, "", final)
				want(t, src, ref, "", final)
				if got := s.count(); got != 2 {
					t.Errorf("asked %d times, want 2: the error is remembered", got)
				}
			})
		})
	}
}

// A rotation is found when a verification fails, and forged requests cannot make the
// source ask more often than the interval allows.
func TestRefresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{value: "old"}
		src := source(s)
		ref := reference(t, "secretsmanager:x")
		refs := []secrets.Reference{ref, reference(t, "env:A"), reference(t, "ssm:/unsupported")}
		want(t, src, ref, "old", nil)
		if src.Refresh(t.Context(), refs...) {
			t.Error("Refresh says that something changed")
		}
		asked := s.count()
		for range 100 {
			src.Refresh(t.Context(), refs...)
		}
		if got := s.count(); got != asked {
			t.Errorf("asked %d times more within the interval", got-asked)
		}

		s.set("new", nil)
		time.Sleep(secrets.RefreshInterval)
		want(t, src, ref, "old", nil)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if !src.Refresh(t.Context(), refs...) {
					t.Error("Refresh does not say that the secret changed")
				}
				want(t, src, ref, "new", nil)
			})
		}
		wg.Wait()
		if got := s.count(); got != asked+1 {
			t.Errorf("asked %d times for the rotation, want once", got-asked)
		}

		s.set("", errDown)
		time.Sleep(secrets.RefreshInterval)
		if src.Refresh(t.Context(), ref) {
			t.Error("a failure counts as a change")
		}
		want(t, src, ref, "new", nil)
	})
}

// The first AWSPREVIOUS of a secret is a change.
func TestRefreshFindsAVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{err: secrets.ErrNoVersion}
		src := source(s)
		ref := reference(t, "secretsmanager:x#@AWSPREVIOUS")
		want(t, src, ref, "", secrets.ErrNoVersion)
		s.set("v", nil)
		if !src.Refresh(t.Context(), ref) {
			t.Error("Refresh does not say that there is a version now")
		}
		want(t, src, ref, "v", nil)
	})
}

// Check does not call a service.
func TestCheck(t *testing.T) {
	t.Parallel()
	s := &store{err: errDown}
	src := source(s)
	for text, want := range map[string]error{
		"env:A": nil, "env:B": secrets.ErrMissing, "secretsmanager:x#a": nil, "ssm:/x": secrets.ErrUnsupported,
	} {
		if err := src.Check(reference(t, text)); !errors.Is(err, want) {
			t.Errorf("Check(%s) = %v, want %v", text, err, want)
		}
	}
	if s.count() != 0 {
		t.Errorf("the service was asked %d times", s.count())
	}
}

func BenchmarkSourceGet(b *testing.B) {
	src := source(&store{value: `{"a":"1"}`})
	ref := reference(b, "secretsmanager:x#a")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := src.Get(b.Context(), ref); err != nil {
			b.Fatal(err)
		}
	}
}
