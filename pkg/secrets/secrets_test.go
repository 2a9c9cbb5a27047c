package secrets_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/secrets"
)

func TestParse(t *testing.T) {
	t.Parallel()
	good := map[string]secrets.Reference{
		"env:GITHUB_SECRET":                {Scheme: secrets.Env, Name: "GITHUB_SECRET"},
		"env:_a1":                          {Scheme: secrets.Env, Name: "_a1"},
		"ssm:/slack/signing":               {Scheme: secrets.SSM, Name: "/slack/signing"},
		"secretsmanager:gh#current":        {Scheme: secrets.SecretsManager, Name: "gh", Key: "current"},
		"secretsmanager:gh":                {Scheme: secrets.SecretsManager, Name: "gh"},
		"secretsmanager:gh#k@AWSPREVIOUS":  {Scheme: secrets.SecretsManager, Name: "gh", Key: "k", Stage: "AWSPREVIOUS"},
		"secretsmanager:gh#@AWSPREVIOUS":   {Scheme: secrets.SecretsManager, Name: "gh", Stage: "AWSPREVIOUS"},
		"secretsmanager:gh#a@b@AWSCURRENT": {Scheme: secrets.SecretsManager, Name: "gh", Key: "a@b", Stage: "AWSCURRENT"},
		"secretsmanager:me@home#k":         {Scheme: secrets.SecretsManager, Name: "me@home", Key: "k"},
		"secretsmanager:arn:aws:x:y:1:s/a": {Scheme: secrets.SecretsManager, Name: "arn:aws:x:y:1:s/a"},
	}
	for text, want := range good {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got, err := secrets.Parse(text)
			if err != nil || got != want {
				t.Fatalf("Parse(%q) = %+v, %v, want %+v", text, got, err, want)
			}
			if got.String() != text {
				t.Errorf("String() = %q, want %q", got.String(), text)
			}
		})
	}
	for _, text := range []string{
		"", ":", "env:", "env:1A", "env:A B", "env:A=B", "ENV:A", "hunter2-hunter2", "vault:hunter2-hunter2",
		"ssm:", "ssm:a b", "secretsmanager:", "secretsmanager:#hunter2-hunter2", "secretsmanager:a#",
		"secretsmanager:a#@", "secretsmanager:a#k@", "secretsmanager:a#k@hunter2-hunter2", "secretsmanager:a#k@awsprevious",
		"env:hunter2-hunter2!", "env:" + strings.Repeat("A", 4000),
	} {
		t.Run("refused "+text[:min(len(text), 20)], func(t *testing.T) {
			t.Parallel()
			got, err := secrets.Parse(text)
			if !errors.Is(err, secrets.ErrReference) || got != (secrets.Reference{}) {
				t.Fatalf("Parse(%.40q) = %+v, %v, want ErrReference", text, got, err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error quotes the text: %v", err)
			}
		})
	}
}

func TestEnv(t *testing.T) {
	t.Parallel()
	src := secrets.NewEnv(func(name string) string { return map[string]string{"A": "value"}[name] })
	got, err := src.Get(t.Context(), secrets.Reference{Scheme: secrets.Env, Name: "A"})
	if err != nil || got.Reveal() != "value" {
		t.Errorf("Get(A) = %q, %v, want the value", got.Reveal(), err)
	}
	for want, ref := range map[error]secrets.Reference{
		secrets.ErrMissing:     {Scheme: secrets.Env, Name: "B"},
		secrets.ErrUnsupported: {Scheme: secrets.SSM, Name: "/a"},
	} {
		if got, err := src.Get(t.Context(), ref); !errors.Is(err, want) || !got.IsZero() {
			t.Errorf("Get(%v) = %v, %v, want %v", ref, got, err, want)
		}
	}
	if _, err := src.Get(t.Context(), secrets.Reference{}); !errors.Is(err, secrets.ErrUnsupported) {
		t.Errorf("Get of the zero reference = %v, want ErrUnsupported", err)
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	t.Parallel()
	s := secrets.New("hunter2")
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "in", map[string]any{"s": s})
	marshalled, err := json.Marshal(map[string]any{"s": s, "p": &s})
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{
		"log": log.String(), "json": string(marshalled),
		"v": fmt.Sprintf("%v", s), "+v": fmt.Sprintf("%+v", s), "#v": fmt.Sprintf("%#v", s),
		"s": fmt.Sprintf("%s", s), "q": fmt.Sprintf("%q", s), "x": fmt.Sprintf("%x", s), "d": fmt.Sprintf("%d", s),
		"pointer": fmt.Sprintf("%v", &s), "nested": fmt.Sprintf("%v", []any{s, struct{ S secrets.Secret }{s}}),
	} {
		if !strings.Contains(got, "[redacted]") || strings.Contains(got, "hunter2") || strings.Contains(got, "68756e74657232") {
			t.Errorf("%s shows %q, want [redacted]", name, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"env:A", "ssm:/a/b", "secretsmanager:a#b", "secretsmanager:a#b#c", "secretsmanager:a#b@AWSPREVIOUS", "bare", "env:", ":", "env:\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := secrets.Parse(text)
		if err != nil {
			if !errors.Is(err, secrets.ErrReference) || ref != (secrets.Reference{}) {
				t.Fatalf("Parse(%q) = %+v, %v, want a zero reference and ErrReference", text, ref, err)
			}
			return
		}
		if ref.String() != text {
			t.Fatalf("Parse(%q).String() = %q, want the same text", text, ref)
		}
	})
}

func ExampleParse() {
	ref, err := secrets.Parse("env:GITHUB_SECRET")
	if err != nil {
		panic(err)
	}
	src := secrets.NewEnv(func(string) string { return "It's a Secret to Everybody" })
	secret, err := src.Get(context.Background(), ref)
	fmt.Println(ref, secret, err)
	// Output: env:GITHUB_SECRET [redacted] <nil>
}
