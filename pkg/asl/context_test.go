package asl

import (
	"testing"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A path into a part of the context object finds what it finds in the whole one.
func TestPartsOfTheContext(t *testing.T) {
	t.Parallel()
	for language, selector := range map[string]string{
		"JSONPath": `{"whole.$":"$$","Execution.$":"$$.Execution","StateMachine.$":"$$['StateMachine']","State.$":"$$.State","Map.$":"$$.Map","Input.$":"$$.Execution.Input",
			"found.$":"$$.Execution.Input[?(@ == $.Map.Item.Value)]"}`,
		"JSONata": `{"whole":"{% $states.context %}","Execution":"{% $states.context.Execution %}","StateMachine":"{% $states.context.StateMachine %}","State":"{% $states.context.State %}",
			"Map":"{% $states.context.Map %}","Input":"{% ($c := $states.context; $c.Execution.Input) %}","found":"{% [$states.context.Execution.Input[$ = $states.context.Map.Item.Value]] %}"}`,
	} {
		m, err := Parse([]byte(`{"QueryLanguage":"` + language + `","StartAt":"M","States":{"M":{"Type":"Map","ItemSelector":` + selector +
			`,"ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}},"End":true}}}`))
		if err != nil {
			t.Fatal(err)
		}
		result := m.Run(t.Context(), Environment{}, Execution{Input: []byte(`[1,2]`), ARN: "arn", Name: "name", StateMachineARN: "machine"})
		v, err := jsonata.Decode(result.Output)
		if err != nil {
			t.Fatal(result.Error, result.Cause)
		}
		text := func(v any) string {
			out, _ := jsonata.AppendJSON(nil, v)
			return string(out)
		}
		for i, item := range v.([]any) {
			o := item.(*jsonata.Object)
			whole, _ := o.Get("whole")
			for _, part := range []string{"Execution", "StateMachine", "State", "Map"} {
				got, _ := o.Get(part)
				want, ok := whole.(*jsonata.Object).Get(part)
				if !ok || text(got) != text(want) {
					t.Errorf("%s: $$.%s is %s, and %s in the whole context object", language, part, text(got), text(want))
				}
			}
			input, _ := o.Get("Input")
			found, _ := o.Get("found")
			if want := []string{"[1]", "[2]"}[i]; text(input) != "[1,2]" || text(found) != want {
				t.Errorf("%s: the input is %s, and the item %s is found as %s", language, text(input), want, text(found))
			}
		}
	}
}

// A test of a state has a context of its own, whose members may have any name.
func TestContextOfATest(t *testing.T) {
	t.Parallel()
	given, err := jsonata.Decode([]byte(`{"Other":{"a":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	f := &frame{run: &run{test: &testRun{in: &TestInput{Context: given.(*jsonata.Object)}}}}
	for _, parts := range []contextPart{contextPartOf("Other"), contextPartOf("Execution")} {
		if o := f.contextObject(parts).(*jsonata.Object); !o.Has("Other") {
			t.Error("a member of the test's own is missing")
		}
	}
}
