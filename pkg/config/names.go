package config

import "strings"

// Names are checked without regular expressions, because every cold start would pay for
// compiling them.

const (
	digits    = "0123456789"
	lowercase = "abcdefghijklmnopqrstuvwxyz"
	letters   = lowercase + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// only reports whether s has from 1 to most characters, all of them in set.
func only(s, set string, most int) bool {
	for i := range len(s) {
		if strings.IndexByte(set, s[i]) < 0 {
			return false
		}
	}
	return s != "" && len(s) <= most
}

func isRouteName(s string) bool { return only(s, lowercase+digits+"-", 40) }

func isMachineName(s string) bool { return only(s, letters+digits+"_-", 80) }

func isVariableName(s string) bool {
	return only(s, letters+digits+"_", 1024) && !strings.ContainsAny(s[:1], digits)
}

// maxARN exceeds the longest ARN of a state machine with a qualifier.
const maxARN = 512

// isMachineARN accepts arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME, optionally
// followed by :VERSION or :ALIAS, and by # and the name of a mocked test case.
func isMachineARN(s string) bool {
	if len(s) > maxARN || strings.ContainsAny(s, " \t\r\n\v\f") {
		return false
	}
	s, testCase, hasTestCase := strings.Cut(s, "#")
	if hasTestCase && testCase == "" {
		return false
	}
	var parts [8]string
	n := 0
	for part := range strings.SplitSeq(s, ":") {
		if part == "" || n == len(parts) {
			return false
		}
		parts[n] = part
		n++
	}
	if n < len(parts)-1 {
		return false
	}
	const name = lowercase + digits + "-"
	return parts[0] == "arn" && only(parts[1], name, maxARN) && parts[2] == "states" && only(parts[3], name, maxARN) &&
		len(parts[4]) == 12 && only(parts[4], digits, 12) && parts[5] == "stateMachine"
}

// patternParams returns the names of a pattern's wildcards, {name} and {name...}.
func patternParams(pattern string) (names []string) {
	for {
		_, rest, found := strings.Cut(pattern, "{")
		if !found {
			return names
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return names
		}
		if name = strings.TrimSuffix(name, "..."); name != "" && name != "$" {
			names = append(names, name)
		}
		pattern = after
	}
}
