package console

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// fill sets every exported field of a struct, and of those in it, to something that is
// not its zero value.
func fill(rt *rapid.T, v reflect.Value, name string) {
	switch v.Interface().(type) {
	case time.Time:
		at := time.Unix(0, rapid.Int64Range(1, math.MaxInt64).Draw(rt, name))
		if rapid.Bool().Draw(rt, "UTC") {
			at = at.UTC()
		}
		v.Set(reflect.ValueOf(at))
		return
	case json.RawMessage:
		v.SetBytes([]byte(`{"a":1}`))
		return
	case map[string]any:
		v.Set(reflect.ValueOf(map[string]any{"n": int64(-5), "f": 1.5, "b": true, "t": "x"}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.StringN(1, 200, -1).Draw(rt, name))
	case reflect.Int:
		v.SetInt(rapid.Int64Range(1, math.MaxInt64).Draw(rt, name))
	case reflect.Float64:
		v.SetFloat(rapid.Float64Range(0.1, 1e300).Draw(rt, name))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(rt, v.Elem(), name)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(rt, v.Index(i), name)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				fill(rt, v.Field(i), f.Name)
			}
		}
	default:
		rt.Fatalf("no value for %s, a %s", name, v.Kind())
	}
}

// Every field of what is packed is found again: one that [Delivery.code] forgets fails
// here.
func TestPackLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := NewRecorder(Options{})
		var d Delivery
		fill(rt, reflect.ValueOf(&d).Elem(), "")
		d.Running = false // what runs is not packed
		k := &keptDelivery{id: d.ID}
		d.payload, d.answer = []byte(`{"p":1}`), []byte(`{"a":1}`)
		r.repack(k, &d)
		ignored := cmpopts.IgnoreUnexported(Delivery{}, Line{}, Execution{})
		if diff := cmp.Diff(d, r.snapshot(k), ignored); diff != "" {
			rt.Fatalf("a delivery changed (-want +got):\n%s", diff)
		}
		if got := r.snapshot(k); string(got.payload) != `{"p":1}` || string(got.answer) != `{"a":1}` {
			rt.Fatalf("payload %s, answer %s", got.payload, got.answer)
		}
		var e Execution
		fill(rt, reflect.ValueOf(&e).Elem(), "")
		e.input, e.output = []byte(`{"in":1}`), []byte(`{"out":1}`)
		kept := &keptExecution{id: e.ID, delivery: e.Delivery, running: &observed{e.ID, &e}}
		want := e
		r.packExecution(kept)
		got := r.snapshotExecution(kept, true)
		if diff := cmp.Diff(want, got, ignored); diff != "" || kept.running != nil || string(got.input) != `{"in":1}` || string(got.output) != `{"out":1}` {
			rt.Fatalf("an execution changed, or is not packed (-want +got):\n%s", diff)
		}
	})
}

// The history of a packed execution is the history that it had.
func TestPackedHistory(t *testing.T) {
	t.Parallel()
	input := []byte(`{"a":1}`)
	o := jsonata.NewObject(1)
	o.Set("total", 12.5)
	value := rapid.SampledFrom([]any{nil, "x", jsonata.NewRaw(input), jsonata.NewRaw([]byte(`[1, 2]`)), true, o, []any{o, 1.0}})
	word := rapid.SampledFrom([]string{"", "a"})
	rapid.Check(t, func(rt *rapid.T) {
		r := NewRecorder(Options{})
		record := statesapi.ExecutionRecord{ExecutionARN: "a", Input: input, Status: bridge.Running, StartDate: time.Unix(1, 0)}
		observe := r.Observe(record, "{}")
		var want []string
		for i := range rapid.IntRange(0, 40).Draw(rt, "events") {
			e := asl.Event{
				ID: int64(i + 1), PreviousID: int64(i), Time: time.Unix(int64(i), 5), Name: word.Draw(rt, "name"),
				Type:  rapid.SampledFrom([]string{"PassStateEntered", "PassStateExited", "TaskSucceeded", "TaskFailed", "TaskScheduled", "ExecutionStarted", "MapIterationStarted"}).Draw(rt, "type"),
				Input: value.Draw(rt, "input"), Output: value.Draw(rt, "output"), Index: rapid.IntRange(0, 1).Draw(rt, "index"), TimeoutSeconds: rapid.IntRange(0, 1).Draw(rt, "timeout"),
				Error: word.Draw(rt, "error"), Cause: word.Draw(rt, "cause"), Resource: word.Draw(rt, "resource"), Region: word.Draw(rt, "region"), Location: word.Draw(rt, "location"),
			}
			if rapid.Bool().Draw(rt, "assigned") {
				e.Assigned = o
			}
			want = append(want, string(text(e)))
			observe(e)
		}
		record.Status, record.StopDate = bridge.Succeeded, time.Unix(2, 0)
		r.OnExecution(record)
		if r.executions.all()[0].running != nil {
			rt.Fatal("the execution is not packed")
		}
		e, _ := r.Execution(1)
		events, left := e.History()
		if left != 0 || len(events) != len(want) {
			rt.Fatalf("%d events and %d left out, want %d", len(events), left, len(want))
		}
		for i := range events {
			if string(events[i]) != want[i] {
				rt.Fatalf("event %d is %s, want %s", i, events[i], want[i])
			}
		}
	})
}

// What a function does after it has answered is kept with its delivery, which is packed by
// then; and rooms that are reused show nothing of the previous delivery.
func TestAfterTheEnd(t *testing.T) {
	t.Parallel()
	r := NewRecorder(Options{})
	log := slog.New(r.Log(slog.DiscardHandler)).With("version", "1")
	var late []context.Context
	for range 3 {
		_, _ = r.Wrap("webhook", invoked(func(ctx context.Context) {
			late = append(late, ctx)
			log.InfoContext(ctx, "during", "n", 1)
		})).Invoke(t.Context(), []byte(`{}`))
	}
	in := &bridge.Delivery{Route: &bridge.Route{Name: "late"}, ID: "d", Kind: "request"}
	log.InfoContext(late[0], "after", "ok", true)
	r.Settled(late[1], in, bridge.Result{Answered: true}, bridge.Settlement{Final: true})
	for i, want := range []string{"during after ", "during /late", "during "} {
		d, _ := r.Delivery(i + 1)
		got := ""
		for _, line := range d.Lines {
			got += line.Message + " "
			if line.Attrs["version"] != "1" {
				t.Errorf("delivery %d: attributes %v", d.ID, line.Attrs)
			}
		}
		for _, rec := range d.Records {
			got += "/" + rec.Route
		}
		if got != want {
			t.Errorf("delivery %d has %q, want %q", d.ID, got, want)
		}
	}
}

type invoked func(context.Context)

func (f invoked) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	f(ctx)
	return nil, errors.New("no")
}

// A message that is settled after the answer keeps the steps that it took before.
func TestSettledLater(t *testing.T) {
	t.Parallel()
	r := NewRecorder(Options{})
	in := &bridge.Delivery{Route: &bridge.Route{Name: "late"}, ID: "d", Kind: "message"}
	var ctx context.Context
	_, _ = r.Wrap("queue", invoked(func(c context.Context) {
		ctx = c
		r.Step(c, in, "dedupe", "k")
	})).Invoke(t.Context(), []byte(`{}`))
	r.Settled(ctx, in, bridge.Result{Answered: true}, bridge.Settlement{Final: true})
	if d, _ := r.Delivery(1); len(d.Records) != 1 || len(d.Records[0].Steps) != 2 || d.Records[0].Steps[1].Detail != "key k" {
		t.Errorf("records = %+v", d.Records)
	}
}

// A payload that is part of a larger array does not keep that array.
func TestPayloadsAreClipped(t *testing.T) {
	t.Parallel()
	large := make([]byte, 1<<20)
	for _, tt := range []struct{ length, most int }{{100, 2 << 10}, {1 << 19, 1<<19 + 1<<17 + 1<<10}, {1 << 20, 1 << 20}} {
		if got := cap(clipped(large[:tt.length])); got > tt.most {
			t.Errorf("%d bytes keep %d, want at most %d", tt.length, got, tt.most)
		}
	}
}

// A text that ends too early is an error, not a panic.
func TestCutText(t *testing.T) {
	t.Parallel()
	r := NewRecorder(Options{})
	d := Delivery{Function: "webhook", Received: time.Unix(1, 0), Records: []Record{{ID: "a", Steps: []Step{{Name: "route", Value: json.RawMessage("1")}}}}, Lines: []Line{{Attrs: map[string]any{"f": 1.5, "t": strings.Repeat("x", 200)}}}}
	k := &keptDelivery{id: 1}
	r.repack(k, &d)
	_, packed := cutBytes(r.packed.piece(k.packed)) // the payload
	_, packed = cutBytes(packed)                    // the answer
	for n := range packed {
		c := codec{reading: true, in: string(packed[:n])}
		if new(Delivery).code(&c); c.err == nil {
			t.Errorf("%d of %d bytes are read without an error", n, len(packed))
		}
	}
}
