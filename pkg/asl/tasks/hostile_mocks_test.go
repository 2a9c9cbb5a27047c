package tasks_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/asltest"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

// A mock file with an arbitrary value in any place is refused with a reason, or runs to an
// end.
func TestHostileMocks(t *testing.T) {
	t.Parallel()
	const whole = `{"StateMachines":{"m":{"TestCases":{"c":{"S":"R"}}}},"MockedResponses":{"R":{"0-99":{"Return":{"a":1}}}}}`
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	for _, v := range []string{`null`, `true`, `-1`, `1e400`, `""`, `"\u0000"`, `"\ud800"`, `"🂡` + strings.Repeat("ä", 300_000) + `"`, `[]`, `[[]]`, `{}`, `{"":{}}`, `{"0":{}}`, deep} {
		for _, part := range []string{`{"m":{"TestCases":{"c":{"S":"R"}}}}`, `{"TestCases":{"c":{"S":"R"}}}`, `{"c":{"S":"R"}}`, `{"S":"R"}`, `"R"`, `{"R":{"0-99":{"Return":{"a":1}}}}`, `{"0-99":{"Return":{"a":1}}}`, `{"Return":{"a":1}}`, `{"a":1}`, `"0-99"`} {
			text := strings.Replace(whole, part, v, 1)
			mocks, err := tasks.LoadMocks([]byte(text))
			if (mocks == nil) == (err == nil) || err != nil && len(err.Error()) > 2_000 {
				t.Errorf("%.60s for %s: got mocks %v and error %.200v, want one of them, and a short error", v, part, mocks != nil, err)
			}
			if err != nil {
				continue
			}
			runner, err := mocks.Runner("m", "c", nil)
			if err != nil {
				continue
			}
			r := asltest.Run(t, `{"StartAt":"S","States":{"S":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f"},"End":true}}}`, `{}`, asl.Environment{Tasks: runner, Sleep: asltest.NoWait})
			if r.Status == "SUCCEEDED" && !json.Valid(r.Output) || r.Status != "SUCCEEDED" && r.Error == "" && r.Cause == "" {
				t.Errorf("%.60s for %s: got %s %.200s %s, want a JSON output or an error", v, part, r.Status, r.Output, r.Error)
			}
		}
	}
}
