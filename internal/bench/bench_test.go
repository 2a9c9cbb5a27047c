package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/checkout"
)

func TestPushBody(t *testing.T) {
	t.Parallel()
	body := pushBody()
	if len(body) != bodySize || !json.Valid(body) {
		t.Errorf("body has %d bytes, valid %t, want %d and true", len(body), json.Valid(body), bodySize)
	}
	var push struct {
		Note string `json:"note"`
	}
	if err := json.Unmarshal(body, &push); err != nil {
		t.Fatal(err)
	}
	// A body that is mostly one string parses far faster than a real one.
	if len(push.Note) > bodySize/20 {
		t.Errorf("%d bytes are padding, want at most %d", len(push.Note), bodySize/20)
	}
}

func TestWebhookEvent(t *testing.T) {
	t.Parallel()
	body := pushBody()
	var event events.APIGatewayV2HTTPRequest
	decoder := json.NewDecoder(bytes.NewReader(webhookEvent(body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&event); err != nil {
		t.Fatalf("decode as an HTTP API event: %v", err)
	}
	if event.Body != string(body) || event.RequestContext.HTTP.Method != "POST" || event.RawPath != "/github" {
		t.Errorf("event = %s %s with %d bytes", event.RequestContext.HTTP.Method, event.RawPath, len(event.Body))
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(event.Body))
	if got, want := event.Headers["x-hub-signature-256"], "sha256="+hex.EncodeToString(mac.Sum(nil)); got != want {
		t.Errorf("signature = %s, want %s", got, want)
	}
}

func TestQueueEvent(t *testing.T) {
	t.Parallel()
	var event events.SQSEvent
	decoder := json.NewDecoder(bytes.NewReader(queueEvent(10)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&event); err != nil {
		t.Fatalf("decode as an SQS event: %v", err)
	}
	ids := map[string]bool{}
	for _, r := range event.Records {
		ids[r.MessageId] = true
		if !json.Valid([]byte(r.Body)) {
			t.Errorf("body of %s is not JSON: %s", r.MessageId, r.Body)
		}
	}
	if len(ids) != 10 {
		t.Errorf("%d distinct ids, want 10", len(ids))
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	values := []float64{4, 1, 3, 2}
	tests := []struct {
		values  []float64
		q, want float64
	}{
		{values, 0, 1},
		{values, 0.25, 1.75},
		{values, 0.5, 2.5},
		{values, 1, 4},
		{[]float64{7}, 0.99, 7},
		{nil, 0.5, math.NaN()},
	}
	for _, tt := range tests {
		got := quantile(tt.values, tt.q)
		if got != tt.want && !(math.IsNaN(got) && math.IsNaN(tt.want)) {
			t.Errorf("quantile(%v, %v) = %v, want %v", tt.values, tt.q, got, tt.want)
		}
	}
	if diff := cmp.Diff([]float64{4, 1, 3, 2}, values); diff != "" {
		t.Errorf("the values were reordered:\n%s", diff)
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	relative := budget{limit: 1.2}
	absolute := budget{limit: 20, absolute: true}
	tests := []struct {
		name string
		b    budget
		c    comparison
		want string
	}{
		{"below", relative, comparison{base: []float64{10}, ours: []float64{11}}, "met"},
		{"as shown", relative, comparison{base: []float64{1000}, ours: []float64{1204}}, "met"},
		{"above", relative, comparison{base: []float64{100}, ours: []float64{121}}, "**missed**"},
		{"medians", relative, comparison{base: []float64{1, 10, 10}, ours: []float64{1, 10, 30}}, "met"},
		{"absolute", absolute, comparison{ours: []float64{19}}, "met"},
		{"absolute, above", absolute, comparison{ours: []float64{21}}, "**missed**"},
		{"no budget", budget{}, comparison{base: []float64{1}, ours: []float64{9}}, ""},
		{"nothing measured", relative, comparison{}, "**missed**"},
	}
	for _, tt := range tests {
		if got := tt.b.verdict(tt.c); got != tt.want {
			t.Errorf("%s: verdict = %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A lookup may grow as one by hand does in the same run; what reads in order may not.
func TestLookupsAreLimitedByHand(t *testing.T) {
	t.Parallel()
	grown := func(to float64) comparison { return comparison{base: []float64{1}, ours: []float64{to}} }
	tests := []struct {
		byHand, lookups, rest float64
		want                  []string
	}{
		{6.4, 6.3, 5.1, []string{"| 6.30× | 6.40×, by hand | met |", "| 5.10× | 5× | **missed** |"}},
		{6.4, 6.5, 4.9, []string{"| 6.50× | 6.40×, by hand | **missed** |", "| 4.90× | 5× | met |"}},
		{4.5, 4.9, 5.0, []string{"| 4.90× | 5× | met |", "| 5.00× | 5× | met |"}},
	}
	for _, tt := range tests {
		var r report
		r.add(controlFind, grown(tt.byHand))
		r.add(budgetGrowthLookups, grown(tt.lookups))
		r.add(budgetGrowthRest, grown(tt.rest))
		got := r.markdown()
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("by hand %v, lookups %v, others %v: the report lacks %q:\n%s", tt.byHand, tt.lookups, tt.rest, want, got)
			}
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	r := report{Go: "go1.26", Platform: "linux/amd64", CPUs: 2, Command: "go run ./internal/bench -o x", Plan: plan{cold: 3}}
	r.add(budgetCold, comparison{base: []float64{6, 6, 6}, ours: []float64{4.5, 4.8, 5.4}})
	r.add(budgetZip, comparison{base: []float64{3.46e6}, ours: []float64{5e6}})
	r.add(budgetEngine, comparison{ours: []float64{12.34}})
	got := r.markdown()
	for _, want := range []string{
		"| Cold start: process start to first poll | the minimal function | 6.00 ms | 4.80 ms | 0.80× (0.77–0.85) | 0.92× | met |\n",
		"| Function zip, arm64 | the minimal function | 3.46 MB | 5.00 MB | 1.45× | 1.15× | **missed** |\n",
		"| The same workflow in process |  |  | 12.3 µs |  | 20 µs | met |\n",
		"go1.26 on linux/amd64, 2 cores", "    go run ./internal/bench -o x\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("report lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "SQS batch of 10") {
		t.Error("the report has a line that was not measured")
	}
}

func TestChecksOfAnswers(t *testing.T) {
	t.Parallel()
	for payload, ok := range map[string]bool{
		`{"statusCode":200,"body":"{\"ok\":true}"}`: true,
		`{"statusCode":401,"body":"{\"ok\":true}"}`: false,
		`{"statusCode":200,"body":""}`:              false,
		`null`:                                      false,
		`{`:                                         false,
	} {
		if err := checkResponse([]byte(payload)); (err == nil) != ok {
			t.Errorf("checkResponse(%s) = %v, want ok %t", payload, err, ok)
		}
	}
	tests := []struct {
		payload string
		started int
		ok      bool
	}{
		{`{"batchItemFailures":[]}`, 10, true},
		{`{"batchItemFailures":[]}`, 9, false},
		{`{"batchItemFailures":[{"itemIdentifier":"a"}]}`, 10, false},
		{`[]`, 10, false},
	}
	for _, tt := range tests {
		if err := checkBatch([]byte(tt.payload), tt.started, 10); (err == nil) != tt.ok {
			t.Errorf("checkBatch(%s, %d) = %v, want ok %t", tt.payload, tt.started, err, tt.ok)
		}
	}
}

func TestInTurns(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	step := func(s string) func() error {
		return func() error { got.WriteString(s); return nil }
	}
	if err := inTurns(3, step("a"), step("b")); err != nil || got.String() != "abbaab" {
		t.Errorf("turns = %s, %v, want abbaab", got.String(), err)
	}
}

func TestZipSize(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bootstrap"), make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := zipSize(dir); err != nil || n < 100 || n > 1<<14 {
		t.Errorf("a MiB of zeros zips to %d bytes, %v, want a few hundred", n, err)
	}
}

func TestWrongUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-events", "50"}, {"-starts", "0"}, {"-nonsense"}, {"extra"}, {"-only", "nonsense"}} {
		var stderr bytes.Buffer
		if code := run(t.Context(), args, &stderr, &stderr); code != 2 || stderr.Len() == 0 {
			t.Errorf("%v: exit code = %d, message %q, want 2 and a message", args, code, stderr.String())
		}
	}
}

// TestFunctionsAreMeasured measures the minimal function against itself, from the build to
// the figures: the ratio must be near 1, and is far from it only if the harness is broken.
func TestFunctionsAreMeasured(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a function")
	}
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	b := bench{
		plan: plan{cold: 2, starts: 2, events: warmUp + 10}, root: root, dir: t.TempDir(),
		say:     func(format string, args ...any) { t.Logf(format, args...) },
		minimal: minimalFunction, webhook: minimalFunction,
	}
	if err := b.compile(t.Context(), minimalFunction, hostOS, hostArch, b.taskRoot(minimalFunction)); err != nil {
		t.Fatal(err)
	}
	var r report
	for _, step := range []func(*bench, context.Context, *report) error{(*bench).coldStarts, (*bench).warmEvents} {
		if err := step(&b, t.Context(), &r); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []budget{budgetCold, budgetP50, budgetP99, budgetRSS, figureFirst} {
		c := r.results[line]
		if len(c.base) != 2 || len(c.ours) != 2 || median(c.base) <= 0 {
			t.Errorf("%s: base %v, ours %v, want two positive figures each", line.what, c.base, c.ours)
		}
		if ratio := c.ratio(); ratio < 0.05 || ratio > 20 {
			t.Errorf("%s: ratio %v of a function to itself", line.what, ratio)
		}
	}
}
