package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/console"
)

const items = `{"QueryLanguage":"JSONata","StartAt":"Set","States":{
  "Set":{"Type":"Pass","Assign":{"rate":2,"note":"a"},"Next":"Rows"},
  "Rows":{"Type":"Map","Items":[[1,2],[3]],"Next":"Late","ItemProcessor":{"StartAt":"Cells","States":{
     "Cells":{"Type":"Map","Items":"{% $states.input %}","End":true,"Output":"{% $rate %}","ItemProcessor":{"StartAt":"Cell","States":{
        "Cell":{"Type":"Pass","Assign":{"cell":"{% $states.input * $rate %}"},"Next":"Odd"},
        "Odd":{"Type":"Choice","Choices":[{"Condition":"{% $cell = 6 %}","Next":"Six"}],"Default":"Fine"},
        "Six":{"Type":"Fail","Error":"Six"},
        "Fine":{"Type":"Succeed"}}},
        "Catch":[{"ErrorEquals":["Six"],"Next":"Caught"}]},
     "Caught":{"Type":"Pass","End":true}}}},
  "Late":{"Type":"Pass","Assign":{"rate":3},"End":true}}}`

// A Map says how its items ended, and each state which variables there were before it and
// after it: those of the item's own, over those around it.
func TestItemsAndVariables(t *testing.T) {
	t.Parallel()
	r := console.NewRecorder(console.Options{})
	s := states(t, r, map[string]string{"items": items})
	d := run(t, r, s, "items", `{}`)
	e, _ := r.Execution(d.Records[0].Execution)
	if e.Status != "SUCCEEDED" {
		t.Fatalf("%s %s %s", e.Status, e.Error, e.Cause)
	}
	got := map[string]bool{}
	for _, v := range e.Visits() {
		text := v.State
		if v.Iteration >= 0 {
			text += fmt.Sprintf("<%d", v.Iteration)
		}
		for _, it := range v.Iterations {
			text += fmt.Sprintf(" %d:%s", it.Index, it.Status)
		}
		got[fmt.Sprintf("%s %s → %s", text, v.Before, v.After)] = true
	}
	const around = `{"rate":2,"note":"a"}`
	for _, want := range []string{
		"Set  → " + around,
		"Rows 0:succeeded 1:succeeded " + around + " → " + around,
		"Cells<0 0:succeeded 1:succeeded " + around + " → " + around,
		"Cells<1 0:failed " + around + " → " + around,
		"Cell<0 " + around + ` → {"rate":2,"note":"a","cell":6}`,
		"Cell<1 " + around + ` → {"rate":2,"note":"a","cell":4}`,
		`Odd<1 {"rate":2,"note":"a","cell":4} → {"rate":2,"note":"a","cell":4}`,
		"Caught<1 " + around + " → " + around,
		"Late " + around + ` → {"rate":3,"note":"a"}`,
	} {
		if !got[want] {
			t.Errorf("there is no visit %q in %v", want, got)
		}
	}
}

// A Map that fails because of one of its items reports that item's error.
func TestMapFailsOfItsItem(t *testing.T) {
	t.Parallel()
	r := console.NewRecorder(console.Options{})
	s := states(t, r, map[string]string{"items": items, "walk": walk})
	for machine, want := range map[string]string{"items": "Cells: Six ", "walk": "Both: Oops right"} {
		d := run(t, r, s, machine, `{}`)
		e, _ := r.Execution(d.Records[0].Execution)
		got := ""
		for _, v := range e.Visits() {
			if v.Status == "caught" {
				got = fmt.Sprintf("%s: %s %s", v.State, v.Error, v.Cause)
			}
		}
		if got != want {
			t.Errorf("%s: caught %q, want %q", machine, got, want)
		}
	}
}

// An item of a Map can be chosen: its own states are shown, and those around the Map.
func TestChooseItem(t *testing.T) {
	t.Parallel()
	r := console.NewRecorder(console.Options{})
	s := states(t, r, map[string]string{"items": items})
	d := run(t, r, s, "items", `{}`)
	execution := d.Records[0].Execution
	e, _ := r.Execution(execution)
	page := func(query string) string {
		w := httptest.NewRecorder()
		console.New(console.ServeOptions{Recorder: r, Engine: noEngine{}}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, fmt.Sprintf("/_expressway/executions/%d%s", execution, query), nil))
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return w.Body.String()
	}
	whole := page("")
	for _, want := range []string{"<strong>Rows</strong> <span class=\"good\">2 succeeded</span>", "<strong>Cells of item 1</strong> <span class=\"bad\">1 failed</span>", "item 0 · failed"} {
		if !strings.Contains(whole, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	cells := int64(0) // the visit of the inner Map of row 0
	for _, v := range e.Visits() {
		if v.State == "Cells" && v.Iteration == 0 {
			cells = v.ID
		}
	}
	chosen := page(fmt.Sprintf("?item=%d.1", cells))
	if !strings.Contains(chosen, fmt.Sprintf(`<option value="%d.1" selected>`, cells)) {
		t.Error("the item is not chosen")
	}
	for want, times := range map[string]int{
		"State=Set": 0, "state=Set": 1, "state=Cell": 1, "state=Six": 0, "state=Caught": 0, "state=Late": 1,
	} {
		n := 0
		for line := range strings.Lines(chosen) {
			n += strings.Count(line, fmt.Sprintf(`data-row href="?item=%d.1&amp;%s#state"`, cells, want))
		}
		if n != times {
			t.Errorf("%s is listed %d times, want %d", want, n, times)
		}
	}
	for _, query := range []string{"?item=", "?item=x", "?item=-1.0", "?item=999999.5", "?item=1.99999999999999999999", "?item=0.0&state=Cell"} {
		page(query)
	}
	var view struct {
		Visits []struct{ Iterations []console.Iteration }
	}
	w := httptest.NewRecorder()
	console.New(console.ServeOptions{Recorder: r, Engine: noEngine{}}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, fmt.Sprintf("/_expressway/api/executions/%d", execution), nil))
	if err := json.Unmarshal(w.Body.Bytes(), &view); err != nil || len(view.Visits[1].Iterations) != 2 {
		t.Errorf("%v %+v", err, view)
	}
}

type noEngine struct{ console.Engine }

func (noEngine) Routes() []console.Route     { return nil }
func (noEngine) Machines() []console.Machine { return nil }

func (noEngine) Waits(string) []console.Wait { return nil }
