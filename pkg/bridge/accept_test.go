package bridge_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// An envelope is what was put into it, digits and all, and has no character that a queue
// refuses.
func TestEnvelope(t *testing.T) {
	t.Parallel()
	for _, input := range []string{`9007199254740993`, `{"a":[1.0,"<&>\u2028"]}`, "\"\uFFFE\uFFFF\"", `""`} {
		in := bridge.Envelope{
			Version: 1, Route: "r", DeliveryID: `d"<`, Trace: "Root=1", Dedupe: &bridge.EnvelopeKey{Record: "r#1", Fingerprint: "f"}, Input: []byte(input),
		}
		text := in.Encode()
		if strings.ContainsAny(text, "\uFFFE\uFFFF") {
			t.Errorf("%q holds what SQS does not take", text)
		}
		out, err := bridge.DecodeEnvelope(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		in.Input = []byte(strings.NewReplacer("\uFFFE", `\ufffe`, "\uFFFF", `\uffff`).Replace(input))
		if diff := cmp.Diff(in, out); diff != "" {
			t.Error(diff)
		}
	}
	for text, want := range map[string]string{
		``: "not an envelope", `[]`: "not an envelope", `{"v":2,"route":"r","input":1}`: "this version", `{"route":"r","input":1}`: "this version",
		`{"v":1,"input":1}`: "incomplete", `{"v":1,"route":"r"}`: "incomplete", `{"v":1,"route":"r","input":1,"dedupe":{}}`: "incomplete",
	} {
		if _, err := bridge.DecodeEnvelope(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzDecodeEnvelope(f *testing.F) {
	f.Add(`{"v":1,"route":"r","deliveryId":"d","trace":"t","dedupe":{"record":"r#1"},"input":{"a":1}}`)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := bridge.DecodeEnvelope(text)
		if err != nil {
			return
		}
		again, err := bridge.DecodeEnvelope(e.Encode())
		if err != nil || again.Route != e.Route || again.DeliveryID != e.DeliveryID {
			t.Errorf("%q became %+v, and then %+v, %v", text, e, again, err)
		}
	})
}
