package trace_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/trace"
)

const (
	root   = "Root=1-5759e988-bd862e3fe1be46a994272793"
	parent = "Parent=53995c3f42cd8ad8"
)

func TestParse(t *testing.T) {
	t.Parallel()
	full := root + ";" + parent + ";Sampled=1"
	tests := map[string]struct{ text, want string }{
		"as Lambda sends it":         {full + ";Lineage=1:a87bd80c:0", full + ";Lineage=1:a87bd80c:0"},
		"root only":                  {root, root},
		"other order, spaces":        {"Sampled=1; " + parent + " ; " + root, full},
		"unknown fields keep order":  {"z=1;" + root + ";b=2;a=3", root + ";z=1;b=2;a=3"},
		"lineage before unknown":     {root + ";x=1;Lineage=2:b:1", root + ";Lineage=2:b:1;x=1"},
		"value with equals signs":    {root + ";x=a=b=", root + ";x=a=b="},
		"sampling asked":             {root + ";Sampled=?", root + ";Sampled=?"},
		"not sampled":                {root + ";Sampled=0", root + ";Sampled=0"},
		"sampling not understood":    {root + ";Sampled=yes", root},
		"load balancer's self":       {"Self=1-67891234-12456789abcdef012345678f;" + root, root},
		"the SDK's zero id":          {root + ";Parent=0000000000000000;Sampled=0", root + ";Sampled=0"},
		"parent malformed":           {root + ";Parent=foo;Sampled=1", root + ";Sampled=1"},
		"field twice, last counts":   {root + ";x=1;x=2", root + ";x=2"},
		"line break in a field":      {root + ";x=1\r\nHost: evil;y=2", root + ";y=2"},
		"not ASCII":                  {root + ";x=ü;y=2", root + ";y=2"},
		"no equals sign":             {root + ";rubbish;;", root},
		"empty":                      {"", ""},
		"no root":                    {"Parent=0000000000000000;Sampled=0", ""},
		"root with another version":  {"Root=2-5759e988-bd862e3fe1be46a994272793", ""},
		"root too short":             {"Root=1-5759e988-bd862e3fe1be46a99427279", ""},
		"root with a line break":     {"Root=1-5759e988-bd862e3fe1be46a9942727\r\n", ""},
		"root not hexadecimal":       {"Root=1-5759e988-bd862e3fe1be46a99427279z", ""},
		"longer than any front door": {root + ";x=" + strings.Repeat("a", 10_000), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, ok := trace.Parse(tt.text)
			if ok != (tt.want != "") {
				t.Errorf("Parse(%q) ok = %t, want %t", tt.text, ok, !ok)
			}
			if got := h.String(); got != tt.want {
				t.Errorf("Parse(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestStringKeepsWithinTheLimit(t *testing.T) {
	t.Parallel()
	base := root + ";" + parent + ";Sampled=1" // 76 characters, so 180 are left
	fields := func(n int) string { return strings.Repeat("v", n) }
	left := trace.MaxLength - len(base)
	tests := map[string]struct{ text, want string }{
		"exactly full":               {base + ";x=" + fields(left-3), base + ";x=" + fields(left-3)},
		"one too many":               {base + ";x=" + fields(left-2), base},
		"the last unknown goes":      {base + ";a=1;b=" + fields(200), base + ";a=1"},
		"unknown goes, lineage last": {base + ";x=" + fields(100) + ";Lineage=" + fields(100), base + ";Lineage=" + fields(100)},
		"lineage goes with the rest": {base + ";x=1;Lineage=" + fields(200), base},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := trace.Parse(tt.text)
			if got := h.String(); got != tt.want {
				t.Errorf("got = %q\nwant  %q", got, tt.want)
			}
		})
	}
}

func TestAccessors(t *testing.T) {
	t.Parallel()
	h, ok := trace.Parse(root + ";" + parent + ";Sampled=1;Lineage=1:a:0")
	got := fmt.Sprint(ok, h.Root(), h.Parent(), h.Sampling(), h.Sampled(), h.Lineage())
	want := "true1-5759e988-bd862e3fe1be46a994272793 53995c3f42cd8ad8 1 true 1:a:0"
	if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Errorf("got = %s, want %s", got, want)
	}
	if got, want := h.WithParent("0123456789abcdef").String(), root+";Parent=0123456789abcdef;Sampled=1;Lineage=1:a:0"; got != want {
		t.Errorf("WithParent: got = %q, want %q", got, want)
	}
	if got, want := h.WithParent("bad").String(), root+";Sampled=1;Lineage=1:a:0"; got != want {
		t.Errorf("WithParent(bad): got = %q, want %q", got, want)
	}
	if got := h.Parent(); got != "53995c3f42cd8ad8" {
		t.Errorf("the original's parent = %q after WithParent", got)
	}
	if got := (trace.Header{}).WithParent("0123456789abcdef").String(); got != "" {
		t.Errorf("zero header with a parent = %q, want nothing", got)
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	header := func(n int) string { return fmt.Sprintf("Root=1-5759e988-%024x", n) }
	bad := "Parent=0000000000000000;Sampled=0"
	const w3c, converted = "00-5759e988000000000000000000000005-53995c3f42cd8ad8-01", "Root=1-5759e988-000000000000000000000005;Parent=53995c3f42cd8ad8;Sampled=1"
	tests := map[string]struct{ record, context, env, request, w3c, want string }{
		"record first":     {header(1), header(2), header(3), header(4), w3c, header(1)},
		"context next":     {"", header(2), header(3), header(4), w3c, header(2)},
		"environment next": {"", "", header(3), header(4), w3c, header(3)},
		"request next":     {"", "", "", header(4), w3c, header(4)},
		"W3C's last":       {"", "", "", "", w3c, converted},
		"without a root":   {bad, bad, bad, header(4), w3c, header(4)},
		"none":             {bad, "", bad, "", "00-bad", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			//lint:ignore SA1029 aws-lambda-go's own key is a plain string
			ctx := context.WithValue(t.Context(), any(trace.ContextKey), tt.context)
			getenv := func(name string) string {
				if name != trace.EnvName {
					t.Errorf("reads %q", name)
				}
				return tt.env
			}
			h, ok := trace.Choose(ctx, tt.record, getenv, tt.request, tt.w3c)
			if got := h.String(); got != tt.want || ok != (tt.want != "") {
				t.Errorf("got = %q, %t, want %q", got, ok, tt.want)
			}
		})
	}
	if h, ok := trace.Choose(t.Context(), "", nil, header(4), ""); !ok || h.String() != header(4) {
		t.Errorf("without an environment: got = %q, want %q", h, header(4))
	}
}

func ExampleParse() {
	h, ok := trace.Parse("Self=1-67891234-12456789abcdef012345678f; Root=1-67891233-abcdef012345678912345678; CalledFrom=app")
	fmt.Println(h, ok)
	fmt.Println(h.WithParent("53995c3f42cd8ad8"))
	// Output:
	// Root=1-67891233-abcdef012345678912345678;CalledFrom=app true
	// Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;CalledFrom=app
}

// W3C's traceparent, as the X-Ray header that is passed on.
func ExampleFromTraceParent() {
	h, ok := trace.FromTraceParent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	fmt.Println(h, ok)
	fmt.Println(h.Sampled(), h.Sampling() == trace.Sampled, h.Lineage() == "")
	// Output:
	// Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1 true
	// true true true
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", root, root + ";" + parent + ";Sampled=1;Lineage=1:a87bd80c:0", "Sampled=?; " + root + ";x=1;y=2;x=3",
		"Parent=0000000000000000;Sampled=0", root + ";=;=x;x=;Lineage=", root + ";x=1\r\ny: 2", root + ";x=" + strings.Repeat("a", 300),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, ok := trace.Parse(text)
		s := h.String()
		if ok != (s != "") || ok != (h.Root() != "") {
			t.Fatalf("Parse(%q) = %q, %t", text, s, ok)
		}
		if len(s) > trace.MaxLength {
			t.Fatalf("%d characters: %q", len(s), s)
		}
		for i := range len(s) {
			if s[i] <= ' ' || s[i] > '~' {
				t.Fatalf("character %q in %q", s[i], s)
			}
		}
		if again, _ := trace.Parse(s); again.String() != s {
			t.Fatalf("Parse(%q) prints as %q, and that as %q", text, s, again)
		}
	})
}

func BenchmarkParseString(b *testing.B) {
	text := root + ";" + parent + ";Sampled=1;Lineage=1:a87bd80c:0"
	b.ReportAllocs()
	for b.Loop() {
		h, _ := trace.Parse(text)
		if h.String() != text {
			b.Fatal(h)
		}
	}
}
