package devserver

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/secrets/awsstore"
)

// secretSource resolves the references of routes, and passes each value to the console,
// which blanks it.
func secretSource(getenv func(string) string, log *slog.Logger, blanked *console.Secrets) secrets.Source {
	fetchers := awsstore.Fetchers(getenv)
	for scheme, service := range map[secrets.Scheme]string{secrets.SSM: "SSM", secrets.SecretsManager: "SECRETS_MANAGER"} {
		f := fetchers[scheme]
		if endpoint(getenv, service) == "" {
			f = &handedOver{next: f, getenv: getenv, stored: map[string]secrets.Secret{}}
		}
		fetchers[scheme] = &toldFetcher{f, blanked}
	}
	return secrets.NewSource(secrets.Options{
		Getenv: func(name string) string { // only for env: references
			value := getenv(name)
			blanked.Add(value)
			return value
		},
		Fetchers: fetchers,
		Log:      log,
	})
}

type toldFetcher struct {
	next    secrets.Fetcher
	blanked *console.Secrets
}

// Create implements [secrets.Creator].
func (f *toldFetcher) Create(ctx context.Context, ref secrets.Reference, secret secrets.Secret) error {
	f.blanked.Add(secret.Reveal())
	creator, ok := f.next.(secrets.Creator)
	if !ok {
		return secrets.ErrUnsupported
	}
	return creator.Create(ctx, ref, secret)
}

// Fetch implements [secrets.Fetcher].
func (f *toldFetcher) Fetch(ctx context.Context, ref secrets.Reference) (secrets.Secret, error) {
	s, err := f.next.Fetch(ctx, ref)
	if err == nil {
		f.blanked.Add(s.Reveal())
	}
	return s, err
}

// handedOver keeps the secrets that senders hand over in memory, because the environment
// names no endpoint: those of a laptop must not be written to AWS.
type handedOver struct {
	next   secrets.Fetcher
	getenv func(string) string

	mu     sync.Mutex
	stored map[string]secrets.Secret // by the reference's name
}

// Create implements [secrets.Creator].
func (h *handedOver) Create(_ context.Context, ref secrets.Reference, secret secrets.Secret) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.stored[ref.Name]; ok {
		return secrets.ErrExists
	}
	h.stored[ref.Name] = secret
	return nil
}

// Fetch implements [secrets.Fetcher].
func (h *handedOver) Fetch(ctx context.Context, ref secrets.Reference) (secrets.Secret, error) {
	h.mu.Lock()
	s, ok := h.stored[ref.Name]
	h.mu.Unlock()
	if ok {
		return s, nil
	}
	s, err := h.next.Fetch(ctx, ref)
	if err != nil && h.getenv("AWS_ACCESS_KEY_ID") == "" {
		err = fmt.Errorf("%w: %w", secrets.ErrMissing, err) // there is nowhere else to look
	}
	return s, err
}
