package metrics_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/metrics"
)

const function = "shop-WebhookFunction-1"

// environment is what Lambda sets.
func environment(level string) func(string) string {
	return func(name string) string {
		return map[string]string{
			"AWS_LAMBDA_FUNCTION_NAME": function, "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_LOG_LEVEL": level,
		}[name]
	}
}

// TestAlarmsFindTheirMetrics makes each delivery end as an alarm of deploy/alarms watches
// for, and looks for its metric with exactly the dimensions that the alarm asks for.
// CloudWatch knows no other: an alarm on a metric that is never written never fires.
func TestAlarmsFindTheirMetrics(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "alarms", "function.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources map[string]struct {
			Properties struct {
				Namespace  string `yaml:"Namespace"`
				MetricName string `yaml:"MetricName"`
				Dimensions []struct {
					Name  string `yaml:"Name"`
					Value string `yaml:"Value"`
				} `yaml:"Dimensions"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	results := map[string]bridge.Result{
		"Unknown":   failure(bridge.Unknown, nil),
		"Failed":    failure("OrderRejected", ended(bridge.Failed)),
		"Throttled": failure(bridge.Throttled, nil),
		"Rejected":  failure(bridge.Unverified, nil),
	}
	seen := map[string]bool{}
	for id, alarm := range template.Resources {
		p := alarm.Properties
		if p.Namespace != "MetricsNamespace" { // !Ref, of which the reader keeps the name
			continue
		}
		seen[p.MetricName] = true
		result, known := results[p.MetricName]
		if !known {
			t.Errorf("%s watches %s, but no delivery here ends that way", id, p.MetricName)
			continue
		}
		var out bytes.Buffer
		w, err := metrics.FromEnv(environment(""), &out)
		if err != nil {
			t.Fatal(err)
		}
		w.Settled(t.Context(), delivery("orders", "request"), result, bridge.Settlement{})
		doc := lines(t, schema(t), out.String())[0]
		var wanted []any
		for _, d := range p.Dimensions {
			wanted = append(wanted, d.Name)
			if d.Value != "FunctionName" || doc[d.Name] != function {
				t.Errorf("%s: dimension %s = %v, the alarm has %s", id, d.Name, doc[d.Name], d.Value)
			}
		}
		directive := doc["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)
		sets, exact := directive["Dimensions"].([]any), false
		for _, set := range sets {
			exact = exact || cmp.Equal(set, wanted)
		}
		if doc[p.MetricName] != 1.0 || !exact {
			t.Errorf("%s: %s = %v with dimensions %v, want 1 with %v", id, p.MetricName, doc[p.MetricName], sets, wanted)
		}
	}
	if len(seen) != len(results) {
		t.Errorf("alarms on %v, want one for each of %d metrics", seen, len(results))
	}
}

// TestLevel checks that a line passes every setting of the log level filter.
func TestLevel(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]string{
		"": "INFO", "INFO": "INFO", "TRACE": "TRACE", "DEBUG": "DEBUG", "WARN": "WARN", "ERROR": "ERROR", "FATAL": "FATAL", "error": "ERROR", "odd": "INFO",
	} {
		var out bytes.Buffer
		w, err := metrics.FromEnv(environment(level), &out)
		if err != nil {
			t.Fatal(err)
		}
		w.Rejected(t.Context(), "r", "http", bridge.Unverified)
		if got := lines(t, schema(t), out.String())[0]["level"]; got != want {
			t.Errorf("filter %q: level %v, want %s", level, got, want)
		}
	}
}

// TestNames refuses what would break the line.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{`a"b`, "a b", "a\\b", "ä"} {
		_, err := metrics.FromEnv(func(n string) string {
			if n == "AWS_LAMBDA_FUNCTION_NAME" {
				return name
			}
			return ""
		}, nil)
		if err == nil {
			t.Errorf("the function name %q is accepted", name)
		}
	}
}

// TestVersionsApart holds that a line speaks of one version of a state machine.
func TestVersionsApart(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := newWriter(&out)
	ctx, end := w.Begin(t.Context())
	const arn = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"
	for _, qualifier := range []string{":1", ":2", ":1", "", ":1:2"} {
		o := ended(bridge.Succeeded)
		o.StateMachineARN = arn + qualifier
		w.Settled(ctx, delivery("orders", "message"), bridge.Result{Outcome: o}, bridge.Settlement{})
	}
	end()
	got := map[any]any{}
	for _, doc := range lines(t, schema(t), out.String()) {
		got[doc["stateMachineVersion"]] = doc["Succeeded"]
	}
	if diff := cmp.Diff(map[any]any{"1": 2.0, "2": 1.0, nil: 2.0}, got); diff != "" {
		t.Errorf("succeeded by version (-want +got):\n%s", diff)
	}
}
