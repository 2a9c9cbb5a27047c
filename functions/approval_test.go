package functions_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

const payoutsSecret = "development-only-payouts-secret"

// The refunds sample end to end: what people and the bank can do, and what attackers try.
func TestApproval(t *testing.T) {
	t.Parallel()
	a := newApprovals(t, "grace: 5s", "grace: 1s")
	fn := a.webhook()
	var links []string
	refund := func(id string) (execution, link string) {
		execution, link = a.refund(fn, id)
		links = append(links, link)
		return execution, link
	}

	t.Run("approved and paid", func(t *testing.T) {
		execution, link := refund("r-paid")
		for range 2 { // mail scanners open links
			status, headers, page := a.ask(fn, "GET", link, "", "", nil)
			if status != http.StatusOK || !strings.Contains(page, "Pay the refund") || headers["Cache-Control"] != "no-store" {
				t.Errorf("GET: %d %v", status, headers)
			}
			a.hidden("the page", page, link)
		}
		if status, _ := a.describe(execution); status != "RUNNING" {
			t.Fatalf("the execution is %s after a GET", status)
		}
		got := []int{a.decide(fn, link, "approve"), a.decide(fn, link, "approve"), a.decide(fn, link, "reject")}
		a.waitsForBank("r-paid")
		forged, _ := a.payout(fn, "e-0", "r-paid", "failed", "guess")
		processing, _ := a.payout(fn, "e-1", "r-paid", "processing", payoutsSecret)
		paid, _ := a.payout(fn, "e-2", "r-paid", "paid", payoutsSecret)
		duplicate, headers := a.payout(fn, "e-2", "r-paid", "paid", payoutsSecret)
		late, _ := a.payout(fn, "e-3", "r-paid", "failed", payoutsSecret)
		got = append(got, forged, processing, paid, duplicate, late)
		if diff := cmp.Diff([]int{200, 410, 410, 401, 200, 200, 200, 410}, got); diff != "" || headers["Idempotent-Replayed"] != "true" {
			t.Errorf("answers (-want +got):\n%s%v", diff, headers)
		}
		if got, want := a.ended(execution), `SUCCEEDED {"status":"paid","payout":{"id":"e-2","refund":"r-paid","status":"paid","reason":"account closed"}}`; got != want {
			t.Errorf("status %s, want %s", got, want)
		}
	})
	t.Run("rejected", func(t *testing.T) {
		execution, link := refund("r-rejected")
		if status := a.decide(fn, link, "reject"); status != http.StatusOK {
			t.Errorf("reject: %d", status)
		}
		if got, want := a.ended(execution), `SUCCEEDED {"status":"rejected"}`; got != want {
			t.Errorf("status %s, want %s", got, want)
		}
	})
	t.Run("approved and not paid", func(t *testing.T) {
		execution, link := refund("r-failed")
		a.decide(fn, link, "approve")
		a.waitsForBank("r-failed")
		if status, _ := a.payout(fn, "e-4", "r-failed", "failed", payoutsSecret); status != http.StatusOK {
			t.Errorf("payout: %d", status)
		}
		if got, want := a.ended(execution), "FAILED PayoutFailed account closed"; got != want {
			t.Errorf("status %s, want %s", got, want)
		}
	})
	t.Run("the bank is faster than the table", func(t *testing.T) {
		a.mu.Lock()
		a.written["r-early"], a.late["r-early"] = make(chan struct{}), 2
		a.mu.Unlock()
		execution, link := refund("r-early")
		a.decide(fn, link, "approve")
		if status, _ := a.payout(fn, "e-5", "r-early", "paid", payoutsSecret); status != http.StatusOK || a.readings("r-early") < 3 {
			t.Errorf("payout: %d after %d reads, want 200 after three or more", status, a.readings("r-early"))
		}
		if got := a.ended(execution); !strings.HasPrefix(got, `SUCCEEDED {"status":"paid"`) {
			t.Errorf("status %s", got)
		}
	})
	t.Run("unknown token", func(t *testing.T) {
		execution, link := refund("r-guessed")
		a.decide(fn, link, "approve")
		a.waitsForBank("r-guessed")
		unknown, _ := a.payout(fn, "e-6", "r-nobody", "paid", payoutsSecret)
		got := []int{
			unknown,
			a.decide(fn, "/approvals?token="+strings.Repeat("A", 300), "approve"),
			a.decide(fn, "/approvals?token="+strings.Repeat("A", 2049), "approve"),
			a.decide(fn, "/approvals?token="+strings.Repeat("x", 40)+url.QueryEscape(link), "approve"),
			a.decide(fn, link+"A", "approve"),
		}
		if diff := cmp.Diff([]int{404, 400, 400, 400, 400}, got); diff != "" {
			t.Errorf("answers (-want +got):\n%s", diff)
		}
		if status, _ := a.describe(execution); status != "RUNNING" {
			t.Errorf("the execution is %s", status)
		}
	})
	fn.Stop()
	segments := datagrams(a.xray)
	for where, text := range map[string]string{"the log": fn.Logs(), "a segment of the trace": segments} {
		if !strings.Contains(text, "refunds") {
			t.Errorf("%s of the function has nothing about the routes, so it would prove nothing", where)
		}
		for _, link := range links {
			a.hidden(where, text, link)
		}
		for _, item := range a.items {
			if strings.Contains(text, item["token"]["S"][:40]) {
				t.Errorf("%s has a token of the table", where)
			}
		}
	}
	if !strings.Contains(fn.Logs(), "CloudWatchMetrics") {
		t.Error("there are no metrics in the log")
	}
}

// An unused link expires with its task, and its page says so.
func TestApprovalExpires(t *testing.T) {
	t.Parallel()
	a := newApprovals(t, "259200", "1")
	fn := a.webhook()
	execution, link := a.refund(fn, "r-1")
	if got, want := a.ended(execution), `SUCCEEDED {"status":"expired"}`; got != want {
		t.Errorf("status %s, want %s", got, want)
	}
	status, _, page := a.ask(fn, "POST", link, "application/x-www-form-urlencoded", "decision=approve", nil)
	if status != http.StatusGone || !strings.Contains(page, "no longer valid") {
		t.Errorf("%d %s, want 410 and why", status, page)
	}
}

// Of two simultaneous decisions in two execution environments, one is accepted and
// determines the end of the execution.
func TestApprovalTwiceAtOnce(t *testing.T) {
	t.Parallel()
	a := newApprovals(t)
	environments := map[string]*lambdatest.Function{"approve": a.webhook(), "reject": a.webhook()}
	for round := range 10 {
		id := "r-" + string(rune('0'+round))
		execution, link := a.refund(environments["approve"], id)
		var mu sync.Mutex
		answers := map[string]int{}
		var both sync.WaitGroup
		for decision, fn := range environments {
			both.Go(func() {
				status := a.decide(fn, link, decision)
				mu.Lock()
				defer mu.Unlock()
				answers[decision] = status
			})
		}
		both.Wait()
		switch {
		case answers["approve"] == 200 && answers["reject"] == 410:
			a.waitsForBank(id)
		case answers["approve"] == 410 && answers["reject"] == 200:
			if got, want := a.ended(execution), `SUCCEEDED {"status":"rejected"}`; got != want {
				t.Errorf("rejected, with status %s", got)
			}
		default:
			t.Errorf("answers %v, want one 200 and one 410", answers)
		}
	}
}

// If Step Functions fails, the answer says what is known, and a decision that may have been
// accepted is never reported as the sender's fault.
func TestApprovalInTrouble(t *testing.T) {
	t.Parallel()
	a := newApprovals(t)
	fn := a.webhook()
	once := func(trouble func(w http.ResponseWriter, forward func())) func(http.ResponseWriter, func()) bool {
		var first sync.Once
		return func(w http.ResponseWriter, forward func()) (met bool) {
			first.Do(func() { trouble(w, forward); met = true })
			return met
		}
	}
	refuse := func(status int, code string) func(http.ResponseWriter, func()) {
		return func(w http.ResponseWriter, _ func()) {
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]string{"__type": code})
		}
	}
	hangUp := func(w http.ResponseWriter) {
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = c.Close()
		}
	}
	for name, test := range map[string]struct {
		trouble func(http.ResponseWriter, func())
		status  int
		ended   string // of a rejection
	}{
		"throttled":                  {refuse(400, "ThrottlingException"), 200, `SUCCEEDED {"status":"rejected"}`},
		"an error of the bank's own": {refuse(500, "InternalFailure"), 200, `SUCCEEDED {"status":"rejected"}`},
		"reset before":               {func(w http.ResponseWriter, _ func()) { hangUp(w) }, 200, `SUCCEEDED {"status":"rejected"}`},
		"reset after":                {func(w http.ResponseWriter, forward func()) { forward(); hangUp(w) }, 502, `SUCCEEDED {"status":"rejected"}`},
		"not allowed":                {refuse(400, "AccessDeniedException"), 500, ""},
	} {
		execution, link := a.refund(fn, "r-"+strings.ReplaceAll(name, " ", "-"))
		a.troubled(once(test.trouble))
		if status := a.decide(fn, link, "reject"); status != test.status {
			t.Errorf("%s: %d, want %d", name, status, test.status)
		}
		a.troubled(nil)
		if test.ended == "" {
			if status, _ := a.describe(execution); status != "RUNNING" {
				t.Errorf("%s: the execution is %s", name, status)
			}
		} else if got := a.ended(execution); got != test.ended {
			t.Errorf("%s: status %s, want %s", name, got, test.ended)
		}
	}
}

// A function that is killed between lookup and send has done nothing: the bank
// retries, and the next environment resumes.
func TestApprovalKilledBetween(t *testing.T) {
	t.Parallel()
	a := newApprovals(t)
	fn := a.webhook()
	execution, link := a.refund(fn, "r-1")
	a.decide(fn, link, "approve")
	a.waitsForBank("r-1")
	sending, killed := make(chan struct{}), make(chan struct{})
	a.troubled(func(http.ResponseWriter, func()) bool {
		close(sending)
		<-killed
		return true
	})
	ctx, kill := context.WithCancel(t.Context())
	go func() { <-sending; kill() }()
	body := `{"id":"e-1","refund":"r-1","status":"paid"}`
	at := time.Now()
	payload, _ := json.Marshal(map[string]any{
		"version": "2.0", "rawPath": "/payouts", "body": body,
		"headers":        map[string]string{"content-type": "application/json", "x-timestamp": unix(at), "x-signature": hexMAC(payoutsSecret, unix(at)+"."+body)},
		"requestContext": map[string]any{"domainName": "api.example.com", "stage": "$default", "requestId": "r", "http": map[string]string{"method": "POST", "path": "/payouts"}},
	})
	if _, err := fn.Invoke(ctx, payload, lambdatest.InvokeOptions{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("the function was not killed: %v", err)
	}
	close(killed)
	a.troubled(nil)
	if status, _ := a.describe(execution); status != "RUNNING" {
		t.Fatalf("the execution is %s", status)
	}
	if status, _ := a.payout(fn, "e-1", "r-1", "paid", payoutsSecret); status != http.StatusOK {
		t.Errorf("the bank's next attempt: %d", status)
	}
	if got := a.ended(execution); !strings.HasPrefix(got, `SUCCEEDED {"status":"paid"`) || fn.Starts() != 2 {
		t.Errorf("status %s after %d processes", got, fn.Starts())
	}
}
