// Package vendors asks the providers' own libraries, in Node, about the requests that
// pkg/verify signs and refuses. `make vendors` installs them and runs the test.
package vendors

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A question is a request to a route of a provider.
type question struct {
	Provider  string            `json:"provider"`
	Secret    string            `json:"secret"`
	URL       string            `json:"url"`
	Method    string            `json:"method"`
	Path      string            `json:"path"`
	Query     string            `json:"query"`
	Headers   map[string]string `json:"headers"`
	Body      string            `json:"body"`
	Audience  string            `json:"audience"`
	PublicKey string            `json:"publicKey"`

	attack string
}

type verdict struct {
	Library string `json:"library"`
	Accepts bool   `json:"accepts"`
	Error   string `json:"error"`
}

func ask(s providertest.Sender, r *verify.Request, attack string) question {
	q := question{
		Provider: s.Spec.Provider, Secret: s.Secret, URL: s.Spec.URL + r.Path, Method: r.Method, Path: r.Path, Query: r.RawQuery, Headers: map[string]string{},
		Body: string(r.Body), Audience: s.Spec.Audience, PublicKey: s.Spec.PublicKey, attack: attack,
	}
	if r.RawQuery != "" {
		q.URL += "?" + r.RawQuery
	}
	for name, values := range r.Header {
		q.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return q
}

// TestVendors has each provider's own library accept what this repository signs, and refuse
// the same with another body or by another key, as pkg/verify does.
func TestVendors(t *testing.T) {
	t.Parallel()
	if os.Getenv("EXPRESSWAY_VENDORS") == "" {
		t.Skip("`make vendors` installs the libraries and runs this test")
	}
	var questions []question
	for _, name := range verify.Providers() {
		s, err := providertest.Signing(name)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Now()
		switch name {
		case "contentful": // its library wants 64 characters
			s.Secret = strings.Repeat("a7", 32)
			s.With = s.Secret
		case "paddle": // its library allows five seconds, and the others take longer to load
			at = at.Add(4 * time.Minute)
		}
		genuine, err := s.Request("/hooks/a", at)
		if err != nil {
			t.Fatal(err)
		}
		attacks, err := s.Attacks(genuine, at)
		if err != nil {
			t.Fatal(err)
		}
		questions = append(questions, ask(s, genuine, ""))
		for _, a := range attacks {
			if a.Name == "another key" || strings.HasPrefix(a.Name, "body: a bit of byte 0") {
				questions = append(questions, ask(s, a.Request, a.Name))
			}
		}
	}
	var accepted, refused []string
	for i, v := range answers(t, questions) {
		q := questions[i]
		switch {
		case v.Library == "":
		case q.attack == "" && !v.Accepts:
			t.Errorf("%s: %s refuses what is signed here: %s\n%v\n%s", q.Provider, v.Library, v.Error, q.Headers, q.Body)
		case q.attack == "":
			accepted = append(accepted, v.Library)
		case v.Accepts:
			t.Errorf("%s: %s accepts %s", q.Provider, v.Library, q.attack)
		default:
			refused = append(refused, v.Library)
		}
	}
	slices.Sort(accepted)
	accepted = slices.Compact(accepted)
	t.Logf("%d libraries accept what is signed here and refuse %d others: %s", len(accepted), len(refused), strings.Join(accepted, ", "))
	if len(accepted) < 30 {
		t.Errorf("%d libraries were asked, want at least 30", len(accepted))
	}
}

// answers runs the libraries.
func answers(t *testing.T, questions []question) []verdict {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", "vendors.mjs")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() {
		e := json.NewEncoder(in)
		for _, q := range questions {
			if err := e.Encode(q); err != nil {
				written <- err
				return
			}
		}
		written <- in.Close()
	}()
	verdicts := make([]verdict, 0, len(questions))
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v verdict
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Logf("the libraries print %q", lines.Text())
			continue
		}
		verdicts = append(verdicts, v)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil || len(verdicts) != len(questions) {
		t.Fatalf("%d answers to %d questions: %v", len(verdicts), len(questions), err)
	}
	return verdicts
}
