package redrive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/expressway-dev/expressway/pkg/dedupe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// populate puts letters of every kind into the world: with a dedupe key and without, to
// standard and FIFO queues, functions and a bus.
func populate(w *world, n int) {
	const lambda, orders, ordered = "arn:aws:lambda:us-east-1:123456789012:function:events", "arn:aws:sqs:us-east-1:123456789012:orders", "arn:aws:sqs:us-east-1:123456789012:ordered.fifo"
	event := func(i int, key string) string {
		return fmt.Sprintf(`{"source":"shop","detail-type":"Paid","n":%d,"detail":"%s"}`, i, key)
	}
	for i := range n {
		key := ""
		if i%2 == 0 {
			key = fmt.Sprintf("key=%d", i)
		}
		id := fmt.Sprintf("l%03d", i)
		switch i / 2 % 6 {
		case 0: // moved by the queue's redrive policy
			w.put(Letter{ID: id, Body: id + " " + key, System: map[string]string{sourceARN: orders}})
		case 1: // the bridge's own
			w.put(Letter{ID: id, Body: id + " " + key, Attributes: attributes("ErrorName", "Invalid", "Route", "orders", "SourceQueue", orders, "mine", "1")})
		case 2: // FIFO
			w.put(Letter{
				ID: id, Body: id, System: map[string]string{messageGroup: fmt.Sprint("g", i%3), deduplicationID: id},
				Attributes: attributes("ErrorName", "Invalid", "Route", "ordered", "SourceQueue", ordered, "DeduplicationId", "sender-"+id),
			})
		case 3: // a Lambda destination
			w.put(Letter{ID: id, Body: fmt.Sprintf(`{"version":"1.0","requestContext":{"functionArn":%q,"condition":"RetriesExhausted"},"requestPayload":%s,"responsePayload":{"errorType":"Declined"}}`, lambda+":live", event(i, key))})
		case 4: // a rule's target
			w.put(Letter{ID: id, Body: event(i, key), Attributes: attributes(attrRule, "arn:aws:events:us-east-1:123456789012:rule/shop/paid", attrTarget, lambda, attrErrorCode, "NO_PERMISSIONS")})
		case 5: // a rule whose target is a queue
			w.put(Letter{ID: id, Body: event(i, key), Attributes: attributes(attrRule, "arn:aws:events:us-east-1:123456789012:rule/paid", attrTarget, orders)})
		}
	}
}

// A redrive that is killed a hundred times, at any call, with lost answers and refusals,
// loses nothing. What is sent twice is listed, unless FIFO or dedupe makes it one.
func TestKilledAHundredTimes(t *testing.T) {
	t.Parallel()
	seeds := uint64(20)
	if testing.Short() {
		seeds = 5
	}
	for _, inDoubt := range []InDoubt{Skip, Send} {
		for seed := range seeds {
			t.Run(fmt.Sprint(inDoubt, seed), func(t *testing.T) {
				t.Parallel()
				killed(t, inDoubt, seed)
			})
		}
	}
}

func killed(t *testing.T, inDoubt InDoubt, seed uint64) {
	w := newWorld(t, seed)
	const n = 240
	populate(w, n)
	o := w.options()
	o.InDoubt, o.From = inDoubt, o.From+".fifo"
	w.lose, w.refuse = 0.02, 0.05
	twice, doubtful, kills := map[string]bool{}, map[string]bool{}, 0
	var stuck map[string]bool
	unreached := 0
	for {
		w.calls, w.killAt = 0, -1
		if kills < 100 {
			w.killAt = 1 + w.random.IntN(60)
		}
		report, err := Run(t.Context(), o)
		if report != nil {
			doubtful, stuck, unreached = map[string]bool{}, map[string]bool{}, report.Unreached
			for _, l := range report.Lines {
				twice[l.ID] = twice[l.ID] || l.Twice
				doubtful[l.ID] = doubtful[l.ID] || l.Fate == FateDoubt
				stuck[l.Group] = stuck[l.Group] || l.Group != "" && l.Fate == FateDoubt
				if l.Fate == FateBehind {
					unreached++
				}
			}
		}
		if errors.Is(err, errKilled) {
			kills++
			w.now = w.now.Add(time.Duration(w.random.IntN(int(20 * time.Second))))
			if w.random.IntN(30) == 0 {
				w.now = w.now.Add(6 * time.Minute) // SQS has forgotten the redrive ids
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(w.left()) == 0 || inDoubt == Skip {
			break
		}
	}
	if kills != 100 {
		t.Fatalf("%d kills, want 100", kills)
	}
	left := w.left()
	behind := -len(stuck)
	for _, g := range stuck {
		if !g {
			behind++ // only what is not of a group
		}
	}
	for _, s := range w.letters {
		times, keyed := w.times(s.ID), strings.Contains(s.Body, "key=")
		switch {
		case times == 0 && !slices.Contains(left, s.ID):
			t.Errorf("%s is lost", s.ID)
		case times > 1 && !keyed && !twice[s.ID]:
			t.Errorf("%s was sent %d times, but is not listed", s.ID, times)
		case slices.Contains(left, s.ID) && stuck[s.System[messageGroup]]:
			behind++
		case slices.Contains(left, s.ID) && !doubtful[s.ID]:
			t.Errorf("%s is still there, but is not listed", s.ID)
		case slices.Contains(left, s.ID) && keyed:
			t.Errorf("%s is still there, although its dedupe key makes both copies one", s.ID)
		case times > 1 && !keyed && inDoubt == Skip:
			t.Errorf("%s was sent twice without being asked to", s.ID)
		}
	}
	first, last := map[string]bool{}, map[string]string{}
	for _, a := range w.queues["arn:aws:sqs:us-east-1:123456789012:ordered.fifo"] {
		group := w.find(a.id + "/").System[messageGroup]
		if !first[a.id] && a.id < last[group] {
			t.Errorf("%s came after %s of its group", a.id, last[group])
		}
		if !first[a.id] {
			first[a.id], last[group] = true, a.id
		}
	}
	if inDoubt == Skip && behind > unreached {
		t.Errorf("%d letters are behind ones in doubt, but the report counts %d", behind, unreached)
	}
	if inDoubt == Send && w.disk != nil {
		t.Errorf("all letters are through, and the journal is kept: %s", w.disk)
	}
}

// With several workers, the result is the same except for the order.
func TestWorkers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	populate(w, 600)
	o := w.options()
	o.Workers = 8
	report, err := Run(t.Context(), o)
	if err != nil || report.Sent() != 600 || len(w.left()) != 0 {
		t.Fatalf("%d sent, %d left, %v", report.Sent(), len(w.left()), err)
	}
	last := map[string]string{}
	for _, a := range w.queues["arn:aws:sqs:us-east-1:123456789012:ordered.fifo"] {
		group := w.find(a.id + "/").System[messageGroup]
		if a.id < last[group] {
			t.Errorf("%s came after %s of its group", a.id, last[group])
		}
		last[group] = a.id
	}
}

// Claims decide: live ones wait, completed ones are listed, expired ones are freed.
func TestClaims(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	for _, id := range []string{"absent", "completed", "expired", "forgotten", "live"} {
		w.put(Letter{ID: id, Body: "key=" + id, System: map[string]string{sourceARN: "arn:aws:sqs:us-east-1:1:orders"}})
	}
	hour := w.now.Add(time.Hour)
	w.items["keyed#live"] = dedupe.Item{Until: w.now.Add(4 * time.Minute), Expires: hour}
	w.items["keyed#expired"] = dedupe.Item{Until: w.now.Add(-time.Minute), Expires: hour}
	w.items["keyed#completed"] = dedupe.Item{Completed: true, Expires: hour}
	w.items["keyed#forgotten"] = dedupe.Item{Completed: true, Expires: w.now.Add(-time.Minute)}
	report, err := Run(t.Context(), w.options())
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(w.left()); got != "[completed live]" {
		t.Errorf("%s stay", got)
	}
	if _, kept := w.items["keyed#expired"]; kept {
		t.Error("the expired claim was not freed")
	}
	var text strings.Builder
	_ = report.Write(&text, false)
	for _, want := range []string{"live: claim is live: an execution may be running for its dedupe key until 2026-03-01T12:04:00Z, for another 3m59", "completed: completed: ", "5 letters, 3 sent"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, &text)
		}
	}
	if !report.Open() {
		t.Error("letters need attention, but the report says that none do")
	}
}

// A dry run changes nothing, however long it takes.
func TestDryRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	populate(w, 60)
	o := w.options()
	o.DryRun, o.Store, o.From = true, nil, o.From+".fifo"
	for range 3 {
		report, err := Run(t.Context(), o)
		// SQS hands out no letter of a message group whose first ones are hidden.
		if err != nil || report.Sent()+report.Unreached != 60 || report.Sent() < 50 || len(w.left()) != 60 || len(w.queues) != 0 || w.disk != nil {
			t.Fatalf("%d would be sent, %d are left, %d targets received some, %v", report.Sent(), len(w.left()), len(w.queues), err)
		}
		visible, _, _ := w.Count(t.Context())
		if visible != 60 {
			t.Errorf("%d letters can be received after it", visible)
		}
	}
}

// Letters that arrive after the run began, or that are not selected, stay.
func TestChosen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*Options)
		want   int
	}{
		"error":                 {func(o *Options) { o.Error = "Declined" }, 10},
		"route":                 {func(o *Options) { o.Route = "ordered" }, 10},
		"an error of no letter": {func(o *Options) { o.Error = "None" }, 0},
		"started long ago":      {func(o *Options) { o.Began = o.Now().Add(-2 * time.Hour) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			populate(w, 60)
			o := w.options()
			test.change(&o)
			report, err := Run(t.Context(), o)
			if err != nil || report.Sent() != test.want || len(w.left()) != 60-test.want || report.Open() {
				t.Errorf("%d sent, %d left, %v", report.Sent(), len(w.left()), err)
			}
		})
	}
}

// A letter that stays holds the rest of its message group.
func TestGroupStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	for _, id := range []string{"a1", "a2", "b1", "b2"} {
		body := id
		if id == "a1" {
			body = "key=a1"
		}
		w.put(Letter{ID: id, Body: body, System: map[string]string{sourceARN: "arn:aws:sqs:us-east-1:1:o.fifo", messageGroup: id[:1], deduplicationID: "s" + id}})
	}
	w.items["keyed#a1"] = dedupe.Item{Until: w.now.Add(time.Minute), Expires: w.now.Add(time.Hour)}
	o := w.options()
	o.From += ".fifo"
	report, err := Run(t.Context(), o)
	if err != nil || fmt.Sprint(w.left()) != "[a1 a2]" || report.Count(FateBehind) != 1 {
		t.Fatalf("%v stay, %v, %+v", w.left(), err, report.Lines)
	}
}

// Letters go no faster than the rate.
func TestRate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	populate(w, 60)
	o := w.options()
	o.Rate = 2
	begun := w.now
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if took := w.now.Sub(begun); took < 29*time.Second {
		t.Errorf("sixty letters at two a second took %v", took)
	}
	if len(w.left()) != 0 {
		t.Errorf("%d are left", len(w.left()))
	}
}

// A stopped run continues when it is run again.
func TestStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	populate(w, 60)
	o := w.options()
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(p Progress) {
		if p.Done == 25 {
			cancel()
		}
	}
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped with %v", err)
	}
	report, err := Run(t.Context(), w.options())
	if err != nil || !report.Resumed || len(w.left()) != 0 {
		t.Fatalf("%v, resumed %v, %d left", err, report.Resumed, len(w.left()))
	}
	for _, s := range w.letters {
		if n := w.times(s.ID); n != 1 {
			t.Errorf("%s was sent %d times", s.ID, n)
		}
	}
}
