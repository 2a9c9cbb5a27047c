package verify_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/verify"
)

var update = flag.Bool("update", false, "write the tables of docs/providers.md")

// TestDocumentedTables holds the tables of the documentation to the presets. Run it with
// -update to write them.
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
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("the tables are not those of the presets; run go test ./pkg/verify -run DocumentedTables -update (-want +got):\n%s", diff)
	}
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
			signed = "anew"
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
