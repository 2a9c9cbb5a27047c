package devserver

import (
	"context"
	"log/slog"

	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/secrets/awsstore"
)

// secretSource resolves the references of routes, and passes each value to the console,
// which blanks it.
func secretSource(getenv func(string) string, log *slog.Logger, blanked *console.Secrets) secrets.Source {
	fetchers := awsstore.Fetchers(getenv)
	for scheme, f := range fetchers {
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
