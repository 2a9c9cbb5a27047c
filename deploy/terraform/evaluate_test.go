package terraform

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// A module evaluates the expressions of the module's files as Terraform does, with values
// for its variables. Only what has nothing to do with a provider can be evaluated.
type module struct {
	t       *testing.T
	exprs   map[string]hclsyntax.Expression
	known   map[string]cty.Value
	vars    cty.Value
	dynamic map[string]bool // locals that are being evaluated
}

func newModule(t *testing.T, vars map[string]cty.Value) *module {
	t.Helper()
	m := &module{
		t: t, exprs: map[string]hclsyntax.Expression{}, dynamic: map[string]bool{},
		known: map[string]cty.Value{"prefix": cty.StringVal("arn:aws"), "here": cty.StringVal("us-east-1:123456789012")},
	}
	values := map[string]cty.Value{}
	for _, body := range parse(t).bodies {
		for _, b := range body.Blocks {
			switch b.Type {
			case "locals":
				for name, a := range b.Body.Attributes {
					m.exprs[name] = a.Expr
				}
			case "variable":
				values[b.Labels[0]] = variable(t, b, vars)
			}
		}
	}
	for name := range vars {
		if _, ok := values[name]; !ok {
			t.Errorf("there is no variable %s", name)
		}
	}
	m.vars = cty.ObjectVal(values)
	return m
}

// variable is the value of a variable, in its type.
func variable(t *testing.T, b *hclsyntax.Block, vars map[string]cty.Value) cty.Value {
	t.Helper()
	v, ok := vars[b.Labels[0]]
	if a := b.Body.Attributes["default"]; !ok && a != nil {
		d, diagnostics := a.Expr.Value(nil)
		if diagnostics.HasErrors() {
			t.Fatal(diagnostics)
		}
		v, ok = d, true
	}
	kind, defaults, diagnostics := typeexpr.TypeConstraintWithDefaults(b.Body.Attributes["type"].Expr)
	if diagnostics.HasErrors() {
		t.Fatal(diagnostics)
	}
	if !ok {
		return cty.UnknownVal(kind)
	}
	if defaults != nil && !v.IsNull() {
		v = defaults.Apply(v)
	}
	v, err := convert.Convert(v, kind)
	if err != nil {
		t.Fatalf("%s: %v", b.Labels[0], err)
	}
	return v
}

// local returns the value of a local value, and those that it needs first.
func (m *module) local(name string) cty.Value {
	if v, ok := m.known[name]; ok {
		return v
	}
	expr := m.exprs[name]
	if expr == nil || m.dynamic[name] {
		m.t.Fatalf("local.%s is missing, or refers to itself", name)
	}
	m.dynamic[name] = true
	m.known[name] = m.value(expr)
	return m.known[name]
}

func (m *module) value(expr hclsyntax.Expression) cty.Value {
	m.t.Helper()
	for _, traversal := range expr.Variables() {
		if traversal.RootName() == "local" {
			m.local(traversal[1].(hcl.TraverseAttr).Name)
		}
	}
	locals := cty.EmptyObjectVal
	if len(m.known) > 0 {
		locals = cty.ObjectVal(maps.Clone(m.known))
	}
	v, diagnostics := expr.Value(&hcl.EvalContext{Variables: map[string]cty.Value{"var": m.vars, "local": locals}, Functions: functions})
	if diagnostics.HasErrors() {
		m.t.Fatal(diagnostics)
	}
	return v
}

// functions are Terraform's, as far as the module uses them; most are of cty.
var functions = map[string]function.Function{
	"can": tryfunc.CanFunc, "try": tryfunc.TryFunc,
	"coalesce": stdlib.CoalesceFunc, "concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc, "distinct": stdlib.DistinctFunc, "flatten": stdlib.FlattenFunc,
	"format": stdlib.FormatFunc, "join": stdlib.JoinFunc, "jsonencode": stdlib.JSONEncodeFunc, "keys": stdlib.KeysFunc, "length": stdlib.LengthFunc, "merge": stdlib.MergeFunc,
	"regex": stdlib.RegexFunc, "regexall": stdlib.RegexAllFunc, "slice": stdlib.SliceFunc, "split": stdlib.SplitFunc, "substr": stdlib.SubstrFunc,
	"trimprefix": stdlib.TrimPrefixFunc, "trimsuffix": stdlib.TrimSuffixFunc, "values": stdlib.ValuesFunc,
	"tolist":       stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
	"toset":        stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
	"tostring":     stdlib.MakeToFunc(cty.String),
	"nonsensitive": function.New(&function.Spec{Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowNull: true, AllowDynamicType: true}}, Type: func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil }, Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return args[0], nil }}),
	"startswith":   text(cty.Bool, func(a, b string) cty.Value { return cty.BoolVal(strings.HasPrefix(a, b)) }),
	"strcontains":  text(cty.Bool, func(a, b string) cty.Value { return cty.BoolVal(strings.Contains(a, b)) }),
	"anytrue": function.New(&function.Spec{Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}}, Type: function.StaticReturnType(cty.Bool), Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		result := cty.False
		for _, v := range args[0].AsValueSlice() {
			if !v.IsNull() {
				result = result.Or(v)
			}
		}
		return result, nil
	}}),
	"replace": function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}, {Name: "old", Type: cty.String}, {Name: "new", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String), Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.StringVal(strings.ReplaceAll(args[0].AsString(), args[1].AsString(), args[2].AsString())), nil
		},
	}),
	"file": function.New(&function.Spec{Params: []function.Parameter{{Name: "path", Type: cty.String}}, Type: function.StaticReturnType(cty.String), Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		text, err := os.ReadFile(args[0].AsString())
		return cty.StringVal(string(text)), err
	}}),
	"yamldecode": function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}}, Type: func(args []cty.Value) (cty.Type, error) {
			if !args[0].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			v, err := decodeYAML(args[0].AsString())
			return v.Type(), err
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return decodeYAML(args[0].AsString()) },
	}),
}

func text(kind cty.Type, do func(a, b string) cty.Value) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}, {Name: "part", Type: cty.String}}, Type: function.StaticReturnType(kind),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return do(args[0].AsString(), args[1].AsString()), nil
		},
	})
}

func decodeYAML(source string) (cty.Value, error) {
	var v any
	if err := yaml.Unmarshal([]byte(source), &v); err != nil {
		return cty.NilVal, err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return cty.NilVal, err
	}
	return jsonValue(text)
}

func jsonValue(text []byte) (cty.Value, error) {
	kind, err := ctyjson.ImpliedType(text)
	if err != nil {
		return cty.NilVal, err
	}
	return ctyjson.Unmarshal(text, kind)
}

// A permissionCase is one of deploy/testdata/permissions.json, which the tests of the CDK
// constructs and of `expressway validate` read too.
type permissionCase struct {
	Name, Kind       string
	Routes           []json.RawMessage
	Machines         map[string]string
	Waiting          []string
	Queues           map[string]string
	DeadLetterQueues map[string]string
	LookupTables     map[string]string
	Buckets          map[string]string
	DedupeTable      string
	Environment      map[string]string
	Keys             []string
	Grants           []string
}

func permissionCases(t *testing.T) []*permissionCase {
	t.Helper()
	source, err := os.ReadFile("../testdata/permissions.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []*permissionCase
	if err := json.Unmarshal(source, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// folder writes the configuration of a case.
func (c *permissionCase) folder(t *testing.T) string {
	t.Helper()
	routes, err := json.Marshal(map[string]any{"version": 1, "routes": c.Routes})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "expressway.yaml"), routes, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// inputs are the variables of the module.
func (c *permissionCase) inputs(config string) map[string]any {
	prefixed := func(prefix string, names map[string]string) map[string]string {
		out := map[string]string{}
		for variable, name := range names {
			out[variable] = prefix + name
		}
		return out
	}
	const machines = "arn:aws:states:us-east-1:123456789012:stateMachine:"
	waiting := []string{}
	for _, name := range c.Waiting {
		waiting = append(waiting, machines+name+":live") // of an alias
	}
	in := map[string]any{
		"name": "case", "kind": c.Kind, "config": config, "layer": "arn:aws:lambda:us-east-1:123456789012:layer:expressway:1", "waiting": waiting,
		"machines": prefixed(machines, c.Machines), "queues": prefixed("arn:aws:sqs:us-east-1:123456789012:", c.Queues),
		"dead_letter_queues": prefixed("https://sqs.us-east-1.amazonaws.com/123456789012/", c.DeadLetterQueues),
		"tables":             prefixed("", c.LookupTables), "buckets": prefixed("", c.Buckets), "environment": prefixed("", c.Environment),
		"keys": append([]string{}, c.Keys...),
	}
	if c.DedupeTable != "" {
		in["dedupe_table"] = c.DedupeTable
	}
	return in
}

func (c *permissionCase) values(t *testing.T) map[string]cty.Value {
	t.Helper()
	out := map[string]cty.Value{}
	for name, in := range c.inputs(c.folder(t)) {
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		if out[name], err = jsonValue(text); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

type statement struct{ Actions, Resources, Aliases []string }

// grants are the statements, each action and resource as one text.
func grants(statements []statement) []string {
	var out []string
	for _, s := range statements {
		for _, action := range s.Actions {
			for _, resource := range s.Resources {
				grant := action + " " + resource
				for _, alias := range s.Aliases {
					grant += " if " + alias
				}
				out = append(out, grant)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func decode(t *testing.T, v cty.Value, into any) {
	t.Helper()
	text, err := ctyjson.Marshal(v, v.Type())
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestPermissions checks that the role may do exactly what the routes need.
func TestPermissions(t *testing.T) {
	t.Parallel()
	for _, c := range permissionCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			m := newModule(t, c.values(t))
			var statements []statement
			decode(t, m.local("statements"), &statements)
			want := slices.Sorted(slices.Values(c.Grants))
			if got := grants(statements); !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			for _, name := range []string{"missing", "twofold", "idle"} {
				if v := m.local(name); v.LengthInt() != 0 {
					t.Errorf("local.%s is %#v", name, v)
				}
			}
		})
	}
}

// TestUnknown evaluates how many resources there are with values that are known only
// after others were made: Terraform refuses to plan if it cannot know that.
func TestUnknown(t *testing.T) {
	t.Parallel()
	alarms, err := jsonValue([]byte(`{"topic": "arn"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range permissionCases(t) {
		in := c.values(t)
		for _, name := range []string{"machines", "queues", "dead_letter_queues", "tables", "buckets"} {
			if attributes := in[name].AsValueMap(); len(attributes) > 0 {
				for variable := range attributes {
					attributes[variable] = cty.UnknownVal(cty.String)
				}
				in[name] = cty.ObjectVal(attributes)
			}
		}
		in["waiting"] = cty.TupleVal([]cty.Value{cty.UnknownVal(cty.String)})
		in["on_failure"] = cty.ObjectVal(map[string]cty.Value{"arn": cty.UnknownVal(cty.String)})
		in["api"] = cty.ObjectVal(map[string]cty.Value{"id": cty.UnknownVal(cty.String), "execution_arn": cty.UnknownVal(cty.String)})
		in["alarms"] = alarms
		m := newModule(t, in)
		for _, body := range parse(t).bodies {
			for _, b := range body.Blocks {
				for _, name := range []string{"count", "for_each"} {
					a := b.Body.Attributes[name]
					if b.Type != "resource" || a == nil || strings.HasPrefix(source(t, a.Expr.Range()), "aws_") {
						continue // another resource's own
					}
					v := m.value(a.Expr)
					if !v.IsKnown() || v.Type() == cty.Number && !v.IsWhollyKnown() {
						t.Errorf("%s: %s of %s is known only after others were made: %#v", c.Name, name, strings.Join(b.Labels, "."), v)
					}
				}
			}
		}
	}
}

func source(t *testing.T, r hcl.Range) string {
	t.Helper()
	text, err := os.ReadFile(r.Filename)
	if err != nil {
		t.Fatal(err)
	}
	return string(r.SliceBytes(text))
}

// TestPreconditions checks that the errors name what the routes lack.
func TestPreconditions(t *testing.T) {
	t.Parallel()
	c := &permissionCase{Kind: "queue", Queues: map[string]string{"JOBS_ARN": "jobs", "OTHER_ARN": "other"}, Routes: []json.RawMessage{
		[]byte(`{"name": "jobs", "sqs": "${JOBS_ARN}", "start": "${ORDERS_ARN}", "deadLetterQueue": "${DEAD:-}"}`),
		[]byte(`{"name": "more", "sqs": "${MORE_ARN}", "start": "${STAGE}-${KIND}", "verify": {"secrets": ["env:TOKEN"]}}`),
	}}
	m := newModule(t, c.values(t))
	for name, want := range map[string]string{
		"missing": `["MORE_ARN" "ORDERS_ARN" "STAGE" "TOKEN"]`, "twofold": `["${STAGE}-${KIND}"]`, "idle": `["OTHER_ARN"]`,
	} {
		var got []string
		decode(t, m.local(name), &got)
		slices.Sort(got)
		if fmt.Sprintf("%q", got) != want {
			t.Errorf("local.%s is %q, not %s", name, got, want)
		}
	}
}

// TestRoutesOfDoors holds what happens to a route's path and of its event pattern.
func TestRoutesOfDoors(t *testing.T) {
	t.Parallel()
	web := &permissionCase{Kind: "webhook", Routes: []json.RawMessage{
		[]byte(`{"name": "a", "http": "POST /a/{id}", "start": "a"}`), []byte(`{"name": "b", "http": "GET example.com/b/{rest...}", "start": "a"}`),
		[]byte(`{"name": "c", "http": "/c/{$}", "start": "a"}`), []byte(`{"name": "d", "http": "GET /a/{id}", "start": "a"}`),
	}}
	var paths []string
	decode(t, newModule(t, web.values(t)).local("paths"), &paths)
	if want := []string{"/a/{id}", "/b/{rest+}", "/c/"}; !slices.Equal(paths, want) {
		t.Errorf("the paths are %q, not %q", paths, want)
	}
	events := &permissionCase{Kind: "event", Routes: []json.RawMessage{
		[]byte(`{"name": "a", "eventbridge": {"source": "shop", "detail-type": ["Paid", "Lost*"]}, "start": "a"}`), []byte(`{"name": "b", "eventbridge": {"source": "*"}, "start": "a"}`),
	}}
	var patterns map[string]any
	decode(t, newModule(t, events.values(t)).local("patterns"), &patterns)
	got, err := json.Marshal(patterns)
	if want := `{"a":{"detail-type":[{"wildcard":"Paid"},{"wildcard":"Lost*"}],"source":[{"wildcard":"shop"}]},"b":{"version":["0"]}}`; err != nil || string(got) != want {
		t.Errorf("the patterns are %s, not %s", got, want)
	}
}

var tags = regexp.MustCompile(`!(Ref|Sub|If|Not|Equals|GetAtt) `)

// TestAlarms compares the alarms with the templates of deploy/alarms.
func TestAlarms(t *testing.T) {
	t.Parallel()
	alarms, err := jsonValue([]byte(`{"failed": 7, "max_age": 60}`))
	if err != nil {
		t.Fatal(err)
	}
	c := &permissionCase{Kind: "queue", Queues: map[string]string{"JOBS": "jobs"}, DeadLetterQueues: map[string]string{"DEAD": "dead"}, Routes: []json.RawMessage{[]byte(`{"name": "a", "sqs": "${JOBS}", "start": "a"}`)}}
	in := c.values(t)
	in["alarms"] = alarms
	got := alarmsOf(t, newModule(t, in))
	web := &permissionCase{Kind: "webhook", Routes: []json.RawMessage{[]byte(`{"name": "a", "http": "POST /a", "start": "a"}`)}}
	in = web.values(t)
	in["alarms"] = alarms
	in["api"] = cty.ObjectVal(map[string]cty.Value{"id": cty.StringVal("api"), "execution_arn": cty.StringVal("arn")})
	for kind, api := range map[string]cty.Value{"http": in["api"], "url": cty.NullVal(cty.DynamicPseudoType)} {
		in["api"] = api
		for name, a := range alarmsOf(t, newModule(t, in)) {
			if name == "servererrors" {
				name += " " + kind
			}
			got[name] = a
		}
	}

	want := map[string]alarm{}
	values := map[string]float64{"FailedThreshold": 7, "RejectedThreshold": 50, "ServerErrorThreshold": 5, "MaxAgeSeconds": 60}
	for _, file := range []string{"function", "queue", "api"} {
		text, err := os.ReadFile("../alarms/" + file + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var template struct {
			Mappings struct {
				Doors map[string]struct{ Namespace, Metric, Dimension string }
			}
			Resources map[string]struct {
				Properties struct {
					Namespace, MetricName, Statistic any
					Dimensions                       []any
					EvaluationPeriods                float64
					DatapointsToAlarm                float64
					Threshold                        any
				}
			}
		}
		v, err := decodeYAML(tags.ReplaceAllString(string(text), ""))
		if err != nil {
			t.Fatal(err)
		}
		decode(t, v, &template)
		for id, r := range template.Resources {
			p := r.Properties
			if id == "Duration" {
				continue // an expression over a metric, as a resource of its own
			}
			threshold, ok := p.Threshold.(float64)
			a := alarm{Namespace: fmt.Sprint(p.Namespace), Metric: fmt.Sprint(p.MetricName), Statistic: fmt.Sprint(p.Statistic), Periods: p.EvaluationPeriods, Datapoints: p.DatapointsToAlarm, Threshold: threshold}
			if !ok {
				a.Threshold = values[fmt.Sprint(p.Threshold)]
			}
			if a.Namespace == "MetricsNamespace" {
				a.Namespace = "Expressway"
			}
			if d, ok := p.Dimensions[0].(map[string]any); ok {
				a.Dimension = fmt.Sprint(d["Name"])
			}
			if file == "api" {
				for kind, door := range template.Mappings.Doors {
					a.Namespace, a.Metric, a.Dimension = door.Namespace, door.Metric, door.Dimension
					want[strings.ToLower(id)+" "+kind] = a
				}
				continue
			}
			want[strings.ToLower(id)] = a
		}
	}
	delete(want, "servererrors rest") // the module makes no such doors
	delete(want, "servererrors alb")
	if !maps.Equal(got, want) {
		t.Errorf("the alarms are\n%v\nand those of deploy/alarms\n%v", got, want)
	}
}

type alarm struct {
	Namespace, Metric, Statistic, Dimension string
	Periods, Datapoints, Threshold          float64
}

func alarmsOf(t *testing.T, m *module) map[string]alarm {
	t.Helper()
	var list map[string]struct {
		alarm
		Dimensions map[string]string
	}
	decode(t, m.local("alarms"), &list)
	out := map[string]alarm{}
	for name, a := range list {
		for d := range a.Dimensions {
			a.Dimension = d
		}
		name, _, _ = strings.Cut(name, "-")
		out[name] = a.alarm
	}
	return out
}
