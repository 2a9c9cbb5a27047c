// Package trace reads and writes the X-Ray trace header, and chooses which of the
// available headers an execution gets.
//
//	Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a87bd80c:0
//
// The text form is parsed by the X-Ray SDK's package header. That package keeps the
// fields it does not know in a map, and writes a header without a Root; this one keeps
// them in their order, checks what it passes on, and stays within the limits of Step
// Functions. A [Recorder] records the one subsegment of a start. [FromTraceParent]
// converts W3C's traceparent.
//
// [Tracing header]: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
package trace

import (
	"context"
	"strings"

	"github.com/aws/aws-xray-sdk-go/header"
)

const (
	// HeaderName is the HTTP header's name.
	HeaderName = "X-Amzn-Trace-Id"
	// envName is the environment variable in which Lambda keeps the invocation's header,
	// unless the function handles several invocations at a time.
	envName = "_X_AMZN_TRACE_ID"
	// ContextKey is the context key, a plain string by contract, under which
	// aws-lambda-go keeps the invocation's header.
	ContextKey = "x-amzn-trace-id"
	// maxLength is the maximum length of StartSyncExecution's traceHeader, in ASCII
	// characters.
	maxLength = 256
)

// maxText bounds the text that Parse reads, in bytes: the sender of the request chooses the
// header, and at most maxLength can be passed on.
const maxText = 8192

// Sampling is the sampling decision: "1", "0", "?" (left to the next service), or "" if
// none was made.
type Sampling string

// The sampling decisions.
const (
	Undecided  Sampling = ""
	Sampled    Sampling = "1"
	NotSampled Sampling = "0"
	Requested  Sampling = "?"
)

// lineage is the field that Lambda uses to detect a function that invokes itself.
const lineage = "Lineage"

// A Header is a trace header with a valid Root, or the zero Header. It is
// immutable and safe for concurrent use.
type Header struct {
	root, parent string
	sampling     Sampling
	lineage      string
	extra        []string // "key=value", in the order of the text
}

// Parse reads a trace header. It reports false, with the zero Header, when there is not a
// valid Root. A Parent, a Sampled or another field that is malformed is left out, as is
// Self, which only concerns a load balancer's own hop.
func Parse(text string) (Header, bool) {
	if text == "" || len(text) > maxText {
		return Header{}, false
	}
	parsed := header.FromString(text)
	if !validRoot(parsed.TraceID) {
		return Header{}, false
	}
	h := Header{root: parsed.TraceID}
	if validID(parsed.ParentID) {
		h.parent = parsed.ParentID
	}
	switch parsed.SamplingDecision {
	case header.Sampled:
		h.sampling = Sampled
	case header.NotSampled:
		h.sampling = NotSampled
	case header.Requested:
		h.sampling = Requested
	}
	if len(parsed.AdditionalData) == 0 {
		return h, true
	}
	if v := parsed.AdditionalData[lineage]; v != "" && printable(v) {
		h.lineage = v
	}
	delete(parsed.AdditionalData, lineage)
	for part := range strings.SplitSeq(text, ";") {
		key, _, ok := strings.Cut(strings.TrimSpace(part), "=")
		value, unseen := parsed.AdditionalData[key]
		if !ok || !unseen {
			continue
		}
		delete(parsed.AdditionalData, key)
		if key != "" && printable(key) && printable(value) {
			h.extra = append(h.extra, key+"="+value)
		}
	}
	return h, true
}

// Root returns the trace id, 1-8hex-24hex; empty for the zero Header.
func (h Header) Root() string { return h.root }

// Parent returns the parent segment's id, 16 hexadecimal digits, or "".
func (h Header) Parent() string { return h.parent }

// Lineage returns Lambda's recursion detection field, or "".
func (h Header) Lineage() string { return h.lineage }

// Sampling returns the sampling decision.
func (h Header) Sampling() Sampling { return h.sampling }

// Sampled reports whether the trace is certainly recorded.
func (h Header) Sampled() bool { return h.sampling == Sampled }

// WithParent returns the header with another parent segment. If the id is not 16
// hexadecimal digits, the header has no parent.
func (h Header) WithParent(id string) Header {
	h.parent = ""
	if h.root != "" && validID(id) {
		h.parent = id
	}
	return h
}

// String writes the header in at most 256 printable ASCII characters. If it is
// too long, unknown fields are dropped first, from the last one, and then Lineage. The
// zero Header is "", because nothing can be sent without a Root.
func (h Header) String() string {
	if h.root == "" {
		return ""
	}
	size := len(header.RootPrefix) + len(h.root)
	if h.parent != "" {
		size += 1 + len(header.ParentPrefix) + len(h.parent)
	}
	if h.sampling != Undecided {
		size += 1 + len(header.SampledPrefix) + len(h.sampling)
	}
	withLineage := h.lineage != "" && size+len(";Lineage=")+len(h.lineage) <= maxLength
	if withLineage {
		size += len(";Lineage=") + len(h.lineage)
	}
	kept := 0
	// If Lineage does not fit, the unknown fields have already been dropped.
	if withLineage || h.lineage == "" {
		for kept < len(h.extra) && size+1+len(h.extra[kept]) <= maxLength {
			size += 1 + len(h.extra[kept])
			kept++
		}
	}

	var b strings.Builder
	b.Grow(size)
	b.WriteString(header.RootPrefix)
	b.WriteString(h.root)
	if h.parent != "" {
		b.WriteString(";" + header.ParentPrefix)
		b.WriteString(h.parent)
	}
	if h.sampling != Undecided {
		b.WriteString(";" + header.SampledPrefix)
		b.WriteString(string(h.sampling))
	}
	if withLineage {
		b.WriteString(";Lineage=")
		b.WriteString(h.lineage)
	}
	for _, field := range h.extra[:kept] {
		b.WriteByte(';')
		b.WriteString(field)
	}
	return b.String()
}

// fromContext returns the invocation's header, which aws-lambda-go put into ctx.
func fromContext(ctx context.Context) (Header, bool) {
	text, _ := ctx.Value(ContextKey).(string)
	return Parse(text)
}

// Choose returns the first valid header of these: that of the delivery's own record, the
// context's, the environment's, and the one that the request merely carried, as an X-Ray
// header or else as a traceparent. A nil getenv means an empty environment. If a process
// handles several invocations at a time, the environment has no header, which is why the
// context takes precedence over it.
func Choose(ctx context.Context, record string, getenv func(string) string, request, traceParent string) (Header, bool) {
	if h, ok := Parse(record); ok {
		return h, true
	}
	if h, ok := fromContext(ctx); ok {
		return h, true
	}
	if getenv != nil {
		if h, ok := Parse(getenv(envName)); ok {
			return h, true
		}
	}
	if h, ok := Parse(request); ok {
		return h, true
	}
	return FromTraceParent(traceParent)
}

// validRoot reports whether s is 1-8hex-24hex.
func validRoot(s string) bool {
	return len(s) == 35 && s[0] == '1' && s[1] == '-' && s[10] == '-' && hex(s[2:10]) && hex(s[11:])
}

// validID reports whether s is a segment's id. The X-Ray SDK writes an id of zeros if
// there is no segment.
func validID(s string) bool {
	return len(s) == 16 && hex(s) && s != "0000000000000000"
}

func hex(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}

// printable reports whether s is allowed in an HTTP header: otherwise, a record's
// attribute could end our header and begin another.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
