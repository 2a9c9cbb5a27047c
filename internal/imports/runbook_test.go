package imports

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// section returns what is below a heading, up to the next one of its level or above.
func section(text, heading string) string {
	level := strings.Index(heading, " ")
	_, rest, _ := strings.Cut("\n"+text, "\n"+heading+"\n")
	for i := range rest {
		if line, _, _ := strings.Cut(rest[i:], "\n"); i > 0 && rest[i-1] == '\n' && strings.HasPrefix(line, "#") {
			if own := strings.Index(line, " "); own > 0 && own <= level {
				return rest[:i]
			}
		}
	}
	return rest
}

// rows returns the cells of the tables of a text, without heads.
func rows(text string) (out [][]string) {
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		if strings.HasPrefix(line, "| ---") {
			out = out[:len(out)-1] // the head
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		out = append(out, cells)
	}
	return out
}

var alarmName = regexp.MustCompile(`(?m)^  (\w+):\n    Type: AWS::CloudWatch::Alarm$`)

// TestRunbook holds that every alarm, every error of the bridge and every symptom has an entry
// that says what it means, where to look, how to fix it, and how to tell that it is resolved.
func TestRunbook(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	files, err := filepath.Glob(filepath.Join("..", "..", "deploy", "alarms", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal("there are no alarms", err)
	}
	alarms := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range alarmName.FindAllStringSubmatch(strings.ReplaceAll(string(source), "    Condition: WithQueue\n", ""), -1) {
			alarms++
			entry := section(text, "### Alarm: "+m[1])
			for _, part := range []string{"Means", "Look", "Fix", "Resolved"} {
				if !regexp.MustCompile(`(?m)^- \*\*` + part + `\*\*: \S`).MatchString(entry) {
					t.Errorf("the alarm %s has no %q", m[1], part)
				}
			}
		}
	}
	if alarms < 10 {
		t.Errorf("%d alarms were found", alarms)
	}

	const errorsHeading = "## What each error means, and what to do"
	entries := rows(section(text, errorsHeading))
	names := append(bridge.Names(), bridge.StatesTimeout)
	for _, name := range names {
		short := strings.TrimPrefix(name, "Expressway.")
		means := slices.ContainsFunc(entries, func(c []string) bool {
			return len(c) == 5 && c[0] == "`"+name+"`" && c[3] != "" && c[4] != ""
		})
		look := slices.ContainsFunc(entries, func(c []string) bool {
			return len(c) == 3 && strings.Contains(c[0], "`"+short+"`") && c[1] != "" && c[2] != ""
		})
		if !means || !look {
			t.Errorf("%s: means and fix %t, look and resolved %t", name, means, look)
		}
	}
	// No entry of a name that is none.
	for _, c := range entries {
		if name := strings.Trim(c[0], "`"); len(c) == 5 && strings.HasPrefix(name, "Expressway.") && !slices.Contains(names, name) {
			t.Errorf("the bridge does not define the error %s", name)
		}
	}
	symptoms := rows(section(text, "## By symptom"))
	if len(symptoms) < 8 {
		t.Errorf("%d symptoms", len(symptoms))
	}
	for _, c := range symptoms {
		if len(c) != 4 || slices.Contains(c, "") {
			t.Errorf("the symptom %q lacks where to look, the fix, or how to tell that it is resolved", c[0])
		}
	}
}
