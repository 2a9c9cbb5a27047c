package trace_test

import (
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/trace"
)

func TestFromTraceParent(t *testing.T) {
	t.Parallel()
	const id, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	const sampled = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1"
	notSampled := strings.Replace(sampled, "Sampled=1", "Sampled=0", 1)
	for text, want := range map[string]string{
		"00-" + id + "-" + span + "-01":                      sampled,
		"00-" + id + "-" + span + "-00":                      notSampled,
		"00-" + id + "-" + span + "-03":                      sampled,
		"00-" + id + "-" + span + "-fe":                      notSampled,
		"cc-" + id + "-" + span + "-01":                      sampled,
		"cc-" + id + "-" + span + "-01-what-comes-later":     sampled,
		"cc-" + id + "-" + span + "-01.what-comes-later":     "",
		"00-" + id + "-" + span + "-01-more":                 "",
		"00-" + id + "-" + span + "-01-":                     "",
		"ff-" + id + "-" + span + "-01":                      "",
		"00-" + strings.Repeat("0", 32) + "-" + span + "-01": "",
		"00-" + id + "-" + strings.Repeat("0", 16) + "-01":   "",
		"00-" + strings.ToUpper(id) + "-" + span + "-01":     "",
		"00-" + id + "-" + span + "-0g":                      "",
		"0x-" + id + "-" + span + "-01":                      "",
		"00-" + id + "-" + span + "-1":                       "",
		"00_" + id + "_" + span + "_01":                      "",
		"":                                                   "",
		"00-":                                                "",
	} {
		h, ok := trace.FromTraceParent(text)
		if got := h.String(); got != want || ok != (want != "") {
			t.Errorf("FromTraceParent(%q) = %q, %t, want %q", text, got, ok, want)
		}
	}
}

func FuzzFromTraceParent(f *testing.F) {
	for _, seed := range []string{"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, ok := trace.FromTraceParent(text)
		if !ok {
			if h.String() != "" {
				t.Fatalf("FromTraceParent(%q) = %q, false", text, h)
			}
			return
		}
		if again, _ := trace.Parse(h.String()); again.String() != h.String() || h.Parent() == "" {
			t.Fatalf("FromTraceParent(%q) = %q, which X-Ray reads as %q", text, h, again)
		}
	})
}
