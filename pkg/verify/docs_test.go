package verify_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/verify"
)

var update = flag.Bool("update", false, "write the tables of docs/providers.md")

// TestDocumentedTables compares the tables of the documentation with the presets. Run it
// with -update to write them.
func TestDocumentedTables(t *testing.T) {
	t.Parallel()
	const file = "../../docs/providers.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for name, table := range map[string]string{"providers": providersTable(), "retries": retriesTable()} {
		before, rest, found := strings.Cut(want, "<!-- table: "+name+" -->\n")
		_, after, ended := strings.Cut(rest, "<!-- end -->")
		if !found || !ended {
			t.Fatalf("%s has no table %q", file, name)
		}
		want = before + "<!-- table: " + name + " -->\n" + table + "<!-- end -->" + after
	}
	want = sections(t, want)
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := gocmp.Diff(want, string(text)); diff != "" {
		t.Errorf("the tables are not those of the presets; run go test ./pkg/verify -run DocumentedTables -update (-want +got):\n%s", diff)
	}
}

var (
	sectionHead = regexp.MustCompile("(?s)\n(- URL: [^\n]+\n- Secret: [^\n]+\n)((?:- [^\n]+\n)*)\n```yaml\nversion: 1\n(.*?)```")
	sectionOf   = regexp.MustCompile(`provider: ([a-z0-9-]+)[,}]`)
)

// sections writes what the preset says into the section of each provider, so that each has
// the same parts: where the URL is set and the secret shown, what is signed, the retries and
// the tolerance, the handshake, the traps, and a route.
func sections(t *testing.T, text string) string {
	t.Helper()
	seen := map[string]bool{}
	text = sectionHead.ReplaceAllStringFunc(text, func(section string) string {
		parts := sectionHead.FindStringSubmatch(section)
		name := sectionOf.FindStringSubmatch(parts[3])
		if name == nil || seen[name[1]] {
			return section
		}
		p, known := verify.Lookup(name[1])
		if !known {
			return section
		}
		seen[name[1]] = true
		return strings.Replace(section, parts[1]+parts[2], parts[1]+about(p), 1)
	})
	for _, name := range verify.Providers() {
		if !seen[name] {
			t.Errorf("%s: no section with URL, secret and route", name)
		}
	}
	return text
}

// about returns the lines of a section that the preset has.
func about(p verify.Preset) string {
	s := p.Signature()
	headers := make([]string, len(s.Headers))
	for i, h := range s.Headers {
		headers[i] = code(h)
	}
	how := ", with " + s.Algorithm
	if s.Encoding != "" {
		how += " in " + s.Encoding
	}
	if s.Algorithm == "equality" {
		how = ""
	}
	switch len(headers) {
	case 0:
	case 1:
		how += "; header " + headers[0]
	default:
		how += "; headers " + strings.Join(headers, ", ")
	}
	what := s.Signed
	if strings.Contains(what, "{") {
		template, rest := what, ""
		if at := strings.Index(what, ", "); at > 0 && (strings.HasPrefix(what[at:], ", but ") || strings.HasPrefix(what[at:], ", then ")) {
			template, rest = what[:at], what[at:]
		}
		what = code(template) + rest
	}
	var traps []string
	if p.Experimental {
		traps = append(traps, "experimental: the scheme comes from third parties or from memory, not from the provider's own pages or library")
	}
	if strings.HasPrefix(s.Signed, "nothing") || strings.Contains(s.Signed, "not the body") {
		traps = append(traps, "the body is not signed")
	}
	if p.RemembersIDs {
		traps = append(traps, "the signature covers too little of the body, so a route needs `dedupe`")
	}
	if p.Tolerance == 0 {
		traps = append(traps, "without `dedupe`, a recorded delivery can be replayed forever, because no time is signed")
	} else if p.Tolerance > 10*time.Minute {
		traps = append(traps, "without `dedupe`, a recorded delivery can be replayed for "+short(p.Tolerance))
	}
	for what, place := range map[string]verify.Place{"delivery id": p.DeliveryID, "event name": p.EventName} {
		if place.Unsigned {
			traps = append(traps, "the "+what+" is not signed")
		}
	}
	slices.Sort(traps)
	if len(traps) == 0 {
		traps = []string{"none known"}
	}
	tolerance := ""
	if p.Tolerance > 0 {
		tolerance = "; the tolerance is " + short(p.Tolerance)
	}
	return fmt.Sprintf("- Signed: %s%s.\n- Retries: %s%s.\n- Handshake: %s.\n- Pitfalls: %s.\n", what, how,
		cmp.Or(p.Retries.Schedule, "not established"), tolerance, handshakeOf(p), strings.Join(traps, "; "))
}

// handshakeOf describes a setup request, and the configuration that answers it.
func handshakeOf(p verify.Preset) string {
	if p.Handshake == nil {
		return "none"
	}
	s := verify.Spec{Provider: p.Name, Handshake: "echo"}
	has := func(field string) bool {
		return !slices.ContainsFunc(s.Validate(), func(p verify.Problem) bool { return p.Field == field })
	}
	if has("handshake") {
		return "an unsigned POST request; answered with `handshake: echo`"
	}
	if s = (verify.Spec{Provider: p.Name, HandshakeStore: "ssm:/a"}); has("handshake.store") {
		return "a POST request with the secret; answered with `handshake: {store: …}`"
	}
	how := "POST; answered"
	if len(p.Handshake.Methods) > 0 {
		how = strings.Join(p.Handshake.Methods, ", ") + "; answered"
	}
	if s = (verify.Spec{Provider: p.Name, Token: &verify.Token{Reference: "env:T"}}); has("token") {
		return how + " with `token`"
	}
	return how + " automatically"
}

func providersTable() string {
	var b strings.Builder
	b.WriteString("| provider | signature | time | delivery id | event name | content types | handshake | acknowledgement |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, name := range verify.Providers() {
		p, _ := verify.Lookup(name)
		ack, handshake := "", ""
		if p.Ack.Status != 0 {
			ack = strings.TrimSpace(fmt.Sprintf("%d %s", p.Ack.Status, code(p.Ack.Body)))
		}
		if p.Handshake != nil {
			handshake = "yes"
		}
		var types []string
		for _, t := range p.ContentTypes {
			types = append(types, strings.TrimPrefix(strings.TrimPrefix(t, "application/"), "x-www-"))
		}
		title := code(name)
		if p.Experimental {
			title += " ²"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", title, signatureCell(p), p.Deadline, placeCell(p.DeliveryID), placeCell(p.EventName),
			strings.ReplaceAll(strings.Join(types, ", "), "form-urlencoded", "form"), handshake, ack)
	}
	return b.String()
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func signatureCell(p verify.Preset) string {
	cell := "in the body"
	if headers := p.Signature().Headers; len(headers) > 0 {
		cell = code(headers[0])
	}
	s := verify.Spec{Provider: p.Name, Secrets: []string{"env:S"}}
	for _, problem := range s.Validate() {
		if problem.Field == "url" {
			cell += "; needs `url`"
		}
	}
	return cell
}

func placeCell(p verify.Place) string {
	var places []string
	for _, header := range []string{p.Header, p.OtherHeader} {
		if header != "" {
			places = append(places, code(header))
		}
	}
	if p.Body != "" {
		places = append(places, code(p.Body)+" in the body")
	}
	if p.Form != "" {
		places = append(places, code(p.Form)+" of a form")
	}
	cell := strings.Join(places, ", ")
	if p.Unsigned {
		cell += " ¹"
	}
	return cell
}

func retriesTable() string {
	var b strings.Builder
	b.WriteString("| provider | retries | their signature | tolerance |\n| --- | --- | --- | --- |\n")
	for _, name := range verify.Providers() {
		p, _ := verify.Lookup(name)
		schedule, signed, tolerance := p.Retries.Schedule, "", ""
		if schedule == "" {
			schedule = "not established"
		}
		switch {
		case p.Tolerance == 0:
			signed = "no time is signed"
		case p.Retries.Signed == verify.ResendAnew:
			signed = "new"
		case p.Retries.Signed == verify.ResendSame:
			signed = "the same"
		default:
			signed = "not documented"
		}
		if p.Tolerance > 0 {
			tolerance = short(p.Tolerance)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, schedule, signed, tolerance)
	}
	return b.String()
}

func short(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if rest, ok := strings.CutSuffix(s, zero); ok {
			s = rest + zero[:1]
		}
	}
	return s
}
