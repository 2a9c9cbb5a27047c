package reliability

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const document = "../../docs/reliability.md"

// measured is what the document says of a run, before its table.
var measured = regexp.MustCompile(`[0-9]+ (messages|waits|webhooks), seed [0-9]+, [0-9hms]+`)

// section returns where a section of the document begins and ends.
func section(t *testing.T, text, heading string) (begin, end int) {
	t.Helper()
	begin = strings.Index(text, heading+"\n")
	if begin < 0 {
		t.Fatalf("%s has no %q", document, heading)
	}
	end = strings.Index(text[begin+1:], "\n## ")
	if end < 0 {
		return begin, len(text)
	}
	return begin, begin + 1 + end
}

// table returns where the table of a section begins and ends.
func table(t *testing.T, text, heading string) (begin, end int) {
	t.Helper()
	const fence = "```\n"
	from, to := section(t, text, heading)
	first := strings.Index(text[from:to], fence)
	if first < 0 {
		t.Fatalf("%q has no table", heading)
	}
	begin = from + first + len(fence)
	length := strings.Index(text[begin:to], fence)
	if length < 0 {
		t.Fatalf("the table of %q has no end", heading)
	}
	return begin, begin + length
}

// publish prints an account, and with -update writes one that balances into the document.
func publish(t *testing.T, heading, what string, began time.Time, account fmt.Stringer, balances bool) {
	t.Helper()
	line := fmt.Sprintf("%s, seed %d, %v", what, *seed, time.Since(began).Round(time.Second))
	rows := strings.TrimPrefix(account.String(), "\n")
	t.Logf("%s\n%s", line, rows)
	if !*update || !balances {
		return
	}
	source, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	begin, end := table(t, text, heading)
	text = text[:begin] + rows + text[end:]
	begin, end = section(t, text, heading)
	place := measured.FindStringIndex(text[begin:end])
	if place == nil {
		t.Fatalf("%q does not say what was measured", heading)
	}
	text = text[:begin+place[0]] + line + text[begin+place[1]:]
	if err := os.WriteFile(document, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The tables of the document are what a run prints, and balance.
func TestDocument(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	const ends = "Where the messages ended"
	for heading, test := range map[string]struct {
		heads []string
		sum   []string // the prefixes of the rows that make up the first
		zero  []string
	}{
		"## The account": {
			[]string{ends, "Dead letters that were put back, once", "What the engine saw", "Messages that succeeded more than once", "Message groups", "Batches", "Faults, by the attempts that they affected", "Faults, by calls"},
			[]string{"dead-lettered", "deleted", "moved"},
			[]string{"lost", "  run again for no reason", "attempts that started more than one", "messages that ran before one of their group had ended"},
		},
		"## With dedupe": {
			[]string{ends, "Dead letters that were put back, once", "What the engine saw", "Messages that succeeded more than once", "Message groups", "Batches", "Faults, by the attempts that they affected", "Faults, by calls"},
			[]string{"dead-lettered", "deleted", "moved"},
			[]string{"lost", "  run again for no reason", "attempts that started more than one", "messages that ran before one of their group had ended"},
		},
		"## Webhooks that are accepted first": {
			[]string{"Webhooks that were accepted first and processed later", "What happened to them"}, []string{"succeeded"}, nil,
		},
		"## Executions that wait": {
			[]string{"Executions that waited", "What the senders received", "Faults, by calls"}, []string{"resumed as"}, []string{"lost, or resumed twice"},
		},
	} {
		t.Run(heading, func(t *testing.T) {
			t.Parallel()
			begin, end := table(t, string(source), heading)
			var heads []string
			first, total := -1, 0
			zeros := map[string]bool{}
			for row := range strings.SplitSeq(strings.TrimRight(string(source)[begin:end], "\n"), "\n") {
				count, text, found := strings.Cut(strings.TrimLeft(row, " "), "  ")
				n, err := strconv.Atoi(count)
				if !found || err != nil {
					if row != "" {
						heads = append(heads, row)
					}
					continue
				}
				if first < 0 {
					first = n
				}
				if len(heads) == 1 {
					for _, prefix := range test.sum {
						if strings.HasPrefix(text, prefix) {
							total += n
						}
					}
				}
				if n == 0 {
					zeros[text] = true
				}
			}
			if strings.Join(heads, "; ") != strings.Join(test.heads, "; ") {
				t.Errorf("the table's parts are %q", heads)
			}
			if first < 1 || total != first {
				t.Errorf("%d of %d are accounted for", total, first)
			}
			for _, zero := range test.zero {
				if !zeros[zero] {
					t.Errorf("the table does not say that 0 are %q", zero)
				}
			}
			from, to := section(t, string(source), heading)
			if !measured.MatchString(string(source)[from:to]) {
				t.Error("the section does not say what was measured")
			}
		})
	}
}
