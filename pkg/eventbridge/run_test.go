package eventbridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/eventbridge"
)

const all = "  - {name: all, eventbridge: {source: '*'}, start: m}\n"

func with(t testing.TB, routes string, starter starterFunc, options bridge.Options) *eventbridge.Events {
	t.Helper()
	cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("test.yaml", []byte("version: 1\nroutes:\n"+routes))
	if err != nil {
		t.Fatal(err)
	}
	return eventbridge.New(cfg.Routes, bridge.New(starter, options), eventbridge.Options{})
}

// errorType is the errorType that Lambda reports, or empty.
func errorType(err error) string {
	var reported messages.InvokeResponse_Error
	_ = errors.As(err, &reported)
	return reported.Type
}

// The execution's input is the unchanged event, whatever its origin.
func TestEventsPassUnchanged(t *testing.T) {
	t.Parallel()
	events := map[string]string{
		"S3":                 `{"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","detail-type":"Object Created","source":"aws.s3","account":"111122223333","time":"2021-11-12T00:00:00Z","region":"ca-central-1","resources":["arn:aws:s3:::amzn-s3-demo-bucket1"],"detail":{"version":"0","bucket":{"name":"amzn-s3-demo-bucket1"},"object":{"key":"example-key","size":5,"etag":"b1946ac92492d2347c6235b4d2611184","version-id":"IYV3p45BT0ac8hjHg1houSdS1a.Mro8e","sequencer":"617f08299329d189"},"request-id":"N4N7GDK58NMKJ12R","requester":"123456789012","source-ip-address":"1.2.3.4","reason":"PutObject"}}`,
		"Scheduler":          `{"version":"0","id":"d4c1d2e3","detail-type":"Scheduled Event","source":"aws.scheduler","account":"123456789012","time":"2026-01-02T03:04:05Z","region":"us-east-1","resources":["arn:aws:scheduler:us-east-1:123456789012:schedule/default/nightly"],"detail":"{}"}`,
		"a partner's":        `{"version":"0","id":"p-1","detail-type":"customer.created","source":"aws.partner/example.com/1234","account":"123456789012","time":"2026-01-02T03:04:05Z","region":"us-east-1","resources":[],"detail":{"id":"cus_1","amount":1.00,"big":9007199254740993}}`,
		"with unknown parts": `{"id":"x","source":"a","detail-type":"b","detail":null,"replay-name":"r","new":[{"é":" "}]}`,
	}
	for name, event := range events {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var input string
			e := with(t, all, func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
				input = string(s.Input)
				return byInput(ctx, s)
			}, bridge.Options{})
			if _, err := e.Invoke(t.Context(), []byte(event)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(event, input); diff != "" {
				t.Errorf("input (-want +got):\n%s", diff)
			}
		})
	}
}

// Unfinished events at the deadline are distinguished from those that were not begun.
func TestDeadlineGuard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		e := with(t, all, func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			if strings.Contains(string(s.Input), "hang") {
				<-release // deaf to its context
			}
			return byInput(ctx, s)
		}, bridge.Options{})
		list := []string{event(`{}`)}
		for range 11 {
			list = append(list, event(`{"hang":true}`))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		_, err := e.Invoke(ctx, []byte("["+strings.Join(list, ",")+"]"))
		want := strings.Repeat(bridge.Deadline+", ", 10) + bridge.Unavailable
		if got := errorType(err); got != want {
			t.Errorf("errorType = %s, want %s", got, want)
		}
		if left := 10*time.Second - time.Since(begin); left <= 0 || left > time.Second {
			t.Errorf("answered %v before the deadline", left)
		}
		close(release)
	})
}

// However little time is left, the answer is there before Lambda's deadline, and its name
// says whether anything may run: the first event ends at once, the second after 300 ms,
// the third never.
func TestDeadlineGuardAtEveryRemainingTime(t *testing.T) {
	t.Parallel()
	const unsent, running = bridge.Unavailable, bridge.Deadline
	for left, want := range map[time.Duration]string{
		0:                      unsent + ", " + unsent + ", " + unsent,
		100 * time.Millisecond: unsent + ", " + unsent + ", " + unsent,
		250 * time.Millisecond: unsent + ", " + unsent + ", " + unsent,
		450 * time.Millisecond: unsent + ", " + unsent + ", " + unsent, // the bridge keeps half a second back
		600 * time.Millisecond: running + ", " + running,
		time.Second:            running,
		15 * time.Minute:       running,
	} {
		t.Run(left.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				e := with(t, all, func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
					if ctx.Err() != nil { // as pkg/stepfn has it
						return bridge.Outcome{}, bridge.NewFailure(bridge.Unavailable, "", ctx.Err())
					}
					switch {
					case strings.Contains(string(s.Input), "slow"):
						select {
						case <-time.After(300 * time.Millisecond):
						case <-ctx.Done():
							return bridge.Outcome{}, bridge.NewFailure(bridge.Deadline, "", ctx.Err())
						}
					case strings.Contains(string(s.Input), "hang"):
						<-release // deaf to its context
					}
					return byInput(ctx, s)
				}, bridge.Options{})
				ctx, cancel := context.WithTimeout(t.Context(), left)
				defer cancel()
				begin := time.Now()
				_, err := e.Invoke(ctx, []byte("["+event(`{}`)+","+event(`{"slow":1}`)+","+event(`{"hang":1}`)+"]"))
				got := errorType(err)
				if left <= 250*time.Millisecond { // the time was up, and a notification may have been pending
					got = strings.ReplaceAll(got, running, unsent)
				}
				if got != want {
					t.Errorf("errorType = %s, want %s", got, want)
				}
				if took := time.Since(begin); took > left || took > 0 && left-took < 200*time.Millisecond {
					t.Errorf("answered after %v of %v", took, left)
				}
				close(release)
			})
		})
	}
}

func TestArraysRunSideBySide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := with(t, all, func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			time.Sleep(time.Second)
			return byInput(ctx, s)
		}, bridge.Options{})
		list := strings.Repeat(event(`{}`)+",", 25)
		begin := time.Now()
		if _, err := e.Invoke(t.Context(), []byte("["+list[:len(list)-1]+"]")); err != nil || time.Since(begin) != 3*time.Second {
			t.Errorf("took %v (%v), want 3s for 25 events ten at a time", time.Since(begin), err)
		}
	})
}

// An item that is not an event fails with its own error name, and does not hide those of the others.
func TestArrayWithForeignShapes(t *testing.T) {
	t.Parallel()
	started := 0
	var mu sync.Mutex
	o := &observer{}
	e := with(t, payments, func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
		mu.Lock()
		started++
		mu.Unlock()
		return byInput(ctx, s)
	}, bridge.Options{Observer: o})
	list := []string{
		event(`{}`), `1`, `null`, `[]`, `{"Records":[{"eventSource":"aws:sqs","messageId":"1"}]}`, `{"source":7,"detail-type":"x"}`,
		strings.Replace(event(`{}`), "shop.checkout", "other", 1), event(`{}`),
	}
	_, err := e.Invoke(t.Context(), []byte("["+strings.Join(list, ",")+"]"))
	want := strings.Repeat(bridge.BadRequest+", ", 5) + bridge.NoRoute
	if got := errorType(err); got != want || started != 2 {
		t.Errorf("errorType = %s after %d starts, want %s after 2", got, started, want)
	}
	if len(o.rejected) != 6 {
		t.Errorf("rejected = %v, want six", o.rejected)
	}
}

// A response that Lambda does not take would make it run all the events again.
func TestLargeOutputs(t *testing.T) {
	t.Parallel()
	large := `{"x":"` + strings.Repeat("x", 250000) + `"}`
	e := with(t, all, func(context.Context, bridge.Start) (bridge.Outcome, error) {
		return bridge.Outcome{ExecutionARN: "arn", Status: bridge.Succeeded, Output: []byte(large)}, nil
	}, bridge.Options{})
	for _, n := range []int{20, 100} {
		list := strings.Repeat(event(`{}`)+",", n)
		out, err := e.Invoke(t.Context(), []byte("["+list[:len(list)-1]+"]"))
		var results []struct {
			ExecutionARN  string
			Output        json.RawMessage
			OutputOmitted bool
		}
		if err != nil || json.Unmarshal(out, &results) != nil || len(results) != n || len(out) > 6<<20 {
			t.Fatalf("%d results in %d bytes: %v", len(results), len(out), err)
		}
		omitted := n == 100
		if r := results[n-1]; r.ExecutionARN != "arn" || r.OutputOmitted != omitted || (r.Output == nil) != omitted {
			t.Errorf("result of %d: omitted %t, output of %d bytes, want omitted %t", n, r.OutputOmitted, len(r.Output), omitted)
		}
	}
}

// Lambda gets a valid error however many events fail.
func TestLargeErrors(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("é", 120) + "\x01\x7f"
	e := with(t, all, func(context.Context, bridge.Start) (bridge.Outcome, error) {
		return bridge.Outcome{ExecutionARN: "arn", Status: bridge.Failed, Error: name}, nil
	}, bridge.Options{})
	list := strings.Repeat(event(`{}`)+",", 10000)
	_, err := e.Invoke(t.Context(), []byte("["+list[:len(list)-1]+"]"))
	text, _ := json.Marshal(err)
	if kind := errorType(err); len(text) > 6<<20 || !utf8.ValidString(kind) || !strings.HasPrefix(kind, strings.Repeat("é", 120)) {
		t.Errorf("an error of %d bytes: %.300s", len(text), text)
	}
}

// What catch says of an event: retry fails the function, discard does not.
func TestThen(t *testing.T) {
	t.Parallel()
	o := &observer{}
	e := with(t, payments+"      - {errors: [Later], then: retry}\n", byInput, bridge.Options{Observer: o})
	for _, name := range []string{"AlreadyPaid", "Later", "Other"} {
		_, err := e.Invoke(t.Context(), []byte(event(`{"Fail":"`+name+`"}`)))
		if failed := err != nil; failed != (name != "AlreadyPaid") {
			t.Errorf("%s: error = %v", name, err)
		}
	}
	if diff := cmp.Diff([]string{"discard true", "retry false", "retry false"}, o.settled); diff != "" {
		t.Errorf("settled (-want +got):\n%s", diff)
	}
}

// An observer records its notifications.
type observer struct {
	mu                sync.Mutex
	settled, rejected []string
}

var _ bridge.Observer = (*observer)(nil)

func (o *observer) Begin(ctx context.Context) (context.Context, func()) { return ctx, func() {} }

func (o *observer) Settled(_ context.Context, _ *bridge.Delivery, _ bridge.Result, s bridge.Settlement) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.settled = append(o.settled, fmt.Sprint(s.Then, " ", s.Final))
}

func (o *observer) Rejected(_ context.Context, _, source, name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rejected = append(o.rejected, source+" "+name)
}
