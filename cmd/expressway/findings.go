package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/template/wiring"
)

// textLine returns a finding as file:line:column: message. As in compilers' output, the
// message of an error has no prefix.
func textLine(f wiring.Finding) string {
	word := ""
	if f.Severity != wiring.Error {
		word = string(f.Severity) + ": "
	}
	return fmt.Sprintf("%s: %s%s%s", f.Pos, word, f.Text(), rule(f))
}

// rule returns the kind of a finding about wiring. Other findings need none: their
// messages are clear enough.
func rule(f wiring.Finding) string {
	if _, ok := wiring.Rules[f.Rule]; !ok || f.Rule == "template" {
		return ""
	}
	return " [" + f.Rule + "]"
}

type jsonFinding struct {
	Severity wiring.Severity `json:"severity"`
	Rule     string          `json:"rule"`
	File     string          `json:"file"`
	Line     int             `json:"line"`
	Column   int             `json:"column"`
	Message  string          `json:"message"`
	Cure     string          `json:"cure,omitempty"`
}

func writeJSON(w io.Writer, findings []wiring.Finding) error {
	out := struct {
		Findings []jsonFinding `json:"findings"`
	}{[]jsonFinding{}}
	for _, f := range findings {
		out.Findings = append(out.Findings, jsonFinding{f.Severity, f.Rule, f.Pos.File, f.Pos.Line, f.Pos.Column, f.Message, f.Cure})
	}
	return indented(w, out)
}

func indented(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// relative returns a path in the form that code hosts expect, relative to the root of the
// checkout and with slashes.
func relative(path, root string) string {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return filepath.ToSlash(path)
	}
	rel, err := filepath.Rel(root, absolute)
	if err != nil {
		return filepath.ToSlash(path)
	}
	return filepath.ToSlash(rel)
}

// writeGitHub writes workflow commands, which GitHub shows next to the lines of a change:
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions
func writeGitHub(w io.Writer, findings []wiring.Finding, root string) error {
	message := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	for _, f := range findings {
		command := map[wiring.Severity]string{wiring.Error: "error", wiring.Warning: "warning", wiring.Note: "notice"}[f.Severity]
		if _, err := fmt.Fprintf(w, "::%s file=%s,line=%d,col=%d,title=%s::%s\n", command,
			property.Replace(relative(f.Pos.File, root)), f.Pos.Line, f.Pos.Column, property.Replace("expressway: "+f.Rule), message.Replace(f.Text())); err != nil {
			return err
		}
	}
	return nil
}

// The parts of SARIF 2.1.0 that are written:
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type (
	sarifText struct {
		Text string `json:"text"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           sarifRegion   `json:"region"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical `json:"physicalLocation"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
)

// otherRules are the kinds of finding that are not about wiring.
var otherRules = map[string]string{
	"configuration": "A mistake in expressway.yaml",
	"definition":    "A mistake in a state machine's definition",
}

func writeSARIF(w io.Writer, findings []wiring.Finding, root string) error {
	rules := maps.Clone(wiring.Rules)
	maps.Copy(rules, otherRules)
	run := sarifRun{
		Tool:    sarifTool{sarifDriver{Name: "expressway", InformationURI: "https://github.com/expressway-dev/expressway"}},
		Results: []sarifResult{},
	}
	for _, id := range slices.Sorted(maps.Keys(rules)) {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{id, sarifText{rules[id]}})
	}
	for _, f := range findings {
		run.Results = append(run.Results, sarifResult{
			RuleID: f.Rule, Level: string(f.Severity), Message: sarifText{f.Text()},
			Locations: []sarifLocation{{sarifPhysical{sarifArtifact{relative(f.Pos.File, root)}, sarifRegion{f.Pos.Line, f.Pos.Column}}}},
		})
	}
	return indented(w, sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}
