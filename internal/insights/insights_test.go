package insights

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"pgregory.net/rapid"
)

func row(message string) []types.ResultField {
	fields := []types.ResultField{}
	for name, value := range map[string]string{"@timestamp": "2026-11-30 18:00:00.000", "@message": message, "@log": "123456789012:/aws/lambda/a", "@ptr": "p"} {
		fields = append(fields, types.ResultField{Field: aws.String(name), Value: aws.String(value)})
	}
	return fields
}

// unquote reads a text of the query language back: what precedes and follows it is not
// part of the text, whatever is in it.
func unquote(s string) (text, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		return "", s, false
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
			if i == len(s) {
				return "", "", false
			}
			b.WriteByte(s[i])
		case '"':
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// Whatever an id holds, it is one text in the query.
func TestQuote(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.String().Draw(t, "id")
		text, rest, ok := unquote(quote(id))
		if !ok || text != id || rest != "" {
			t.Fatalf("quote(%q) = %s, which reads as %q and %q", id, quote(id), text, rest)
		}
	})
}

func TestSummaries(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:states:us-east-1:1:express:m:n:u"
	execution := func(id, kind, details string) string {
		return `{"id":"` + id + `","type":"` + kind + `","details":` + details + `,"event_timestamp":"1","execution_arn":"` + arn + `"}`
	}
	for name, test := range map[string]struct {
		lines []string
		want  string
	}{
		"a cause of the bridge": {
			[]string{`{"message":"request refused","route":"r","error":"Expressway.Unverified","reason":"mismatch","requestId":"q"}`},
			"route      r\nat         2026-11-30T18:00:00.000Z\nrequest    q\nerror      Expressway.Unverified\ncause      mismatch\n",
		},
		"a timeout, and two states": {
			[]string{
				`{"message":"delivery settled","route":"r","delivery":"d","executionArn":"` + arn + `","status":"TIMED_OUT","error":"States.Timeout"}`,
				execution("1", "ExecutionStarted", "{}"), execution("2", "PassStateEntered", `{"name":"A"}`), execution("3", "WaitStateEntered", `{"name":"B"}`), execution("4", "ExecutionTimedOut", "{}"),
			},
			"delivery   d\nroute      r\nat         2026-11-30T18:00:00.000Z\nexecution  " + arn + "\nstatus     TIMED_OUT\nerror      States.Timeout\nstate      B\n",
		},
		"a caught failure is not a failure": {
			[]string{
				`{"message":"delivery settled","route":"r","delivery":"d","executionArn":"` + arn + `","status":"SUCCEEDED"}`,
				execution("2", "TaskStateEntered", `{"name":"A"}`), execution("3", "TaskFailed", `{"error":"X","cause":"c"}`), execution("4", "ExecutionSucceeded", "{}"),
			},
			"delivery   d\nroute      r\nat         2026-11-30T18:00:00.000Z\nexecution  " + arn + "\nstatus     SUCCEEDED\n",
		},
		"an execution without a delivery": {
			[]string{execution("2", "FailStateEntered", `{"name":"F"}`), execution("3", "ExecutionFailed", `{"error":"X","cause":"c"}`)},
			"at         1970-01-01T00:00:00.001Z\nexecution  " + arn + "\nstatus     FAILED\nerror      X\nstate      F\ncause      c\n",
		},
		"not a delivery": {[]string{`{"message":"function starts","version":"v"}`, "REPORT RequestId: x", `[1]`, `{}`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var events []Event
			for _, line := range test.lines {
				e, ok := parse(row(line))
				if !ok {
					t.Fatalf("%s is not a line", line)
				}
				events = append(events, e)
			}
			order(events)
			var got strings.Builder
			for _, s := range Summaries(events) {
				got.WriteString(s.String())
			}
			if got.String() != test.want {
				t.Errorf("got\n%swant\n%s", got.String(), test.want)
			}
		})
	}
}

// Logs contain untrusted text: no line breaks the timeline or a terminal.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "plain", `{"message":"delivery settled","delivery":"\u001b[2J"}`, `{"execution_arn":5,"id":{},"details":[],"type":null,"event_timestamp":"x"}`,
		`{"execution_arn":"a","details":{"name":["\n"]},"event_timestamp":"99999999999999999999"}`, `{"routeKey":1e999}`, "{\"message\":\"\x9b\xff\"}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		e, ok := parse(row(message))
		if !ok {
			t.Fatal("a row with a time is a line")
		}
		var b strings.Builder
		if err := WriteTimeline(&b, []Event{e}); err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(b.String(), "\n\n")
		if strings.Count(strings.TrimSuffix(first, "\n"), "\n") > 0 || strings.ContainsFunc(strings.ReplaceAll(b.String(), "\n", ""), unicode.IsControl) {
			t.Fatalf("%q shows as %q", message, b.String())
		}
	})
}

// A row without a time is dropped.
func TestRowWithoutTime(t *testing.T) {
	t.Parallel()
	if e, ok := parse([]types.ResultField{{Field: aws.String("@message"), Value: aws.String("x")}}); ok || !e.Time.Equal(time.Time{}) {
		t.Errorf("parse = %v, %t", e, ok)
	}
}
