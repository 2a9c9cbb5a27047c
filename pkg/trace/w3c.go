package trace

import "strings"

// traceParentLength is the length of version 00; later versions may only append.
const traceParentLength = len("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")

// FromTraceParent converts a W3C [traceparent] to an X-Ray header: X-Ray accepts every
// W3C trace id, with its first eight digits set apart. It reports false, with the zero
// Header, for a text that is invalid according to the specification.
//
// [traceparent]: https://www.w3.org/TR/trace-context/#traceparent-header
func FromTraceParent(text string) (Header, bool) {
	if len(text) < traceParentLength || text[2] != '-' || text[35] != '-' || text[52] != '-' {
		return Header{}, false
	}
	version, id, parent, flags := text[:2], text[3:35], text[36:52], text[53:55]
	if rest := text[traceParentLength:]; rest != "" && (version == "00" || rest[0] != '-') {
		return Header{}, false
	}
	lower := strings.ToLower(text[:traceParentLength]) == text[:traceParentLength]
	if !lower || !hex(version) || version == "ff" || !hex(id) || strings.Trim(id, "0") == "" || !validID(parent) || !hex(flags) {
		return Header{}, false
	}
	h := Header{root: "1-" + id[:8] + "-" + id[8:], parent: parent, sampling: NotSampled}
	// The last bit of the last digit is the only flag that every version has.
	if strings.IndexByte("13579bdf", flags[1]) >= 0 {
		h.sampling = Sampled
	}
	return h, true
}
