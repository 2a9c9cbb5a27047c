package main

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/internal/jsonataref"
)

// A deliberate is a difference that is kept on purpose, and the reason for it.
type deliberate struct {
	name, reason string
	is           func(c testCase, ours, theirs outcome) bool
}

// unholdable turns the texts of numbers that JSON cannot represent into what the
// reference's answers have for such numbers.
var unholdable = strings.NewReplacer(`"NaN"`, `"\u0001number"`, `"Infinity"`, `"\u0001number"`, `"-Infinity"`, `"\u0001number"`)

var (
	twoMembers      = regexp.MustCompile(`(?s)\{.*:|\[.*,`)
	usesPowers      = regexp.MustCompile(`\$(power|parseInteger|formatNumber)\b`)
	strangeChoice   = regexp.MustCompile(`(function|λ)\s*\([^()]*\)\s*<[^>]*\([^)]*[^a-z)]`)
	wildcardItem    = regexp.MustCompile(`\[\s*\*`)
	filteredBlock   = regexp.MustCompile(`(?s)(function|λ).*\)\[.*\}`)
	grouping        = regexp.MustCompile("[\\]\\w*%\"'`]\\s*\\{|\\{[^{}]*:")
	longFraction    = regexp.MustCompile(`\d*\.\d{9,}`)
	exponentPicture = regexp.MustCompile(`[0-9#.][eEx]0`)
	halfPair        = regexp.MustCompile(`\\u[dD][89a-fA-F]`)
	tupleSort       = regexp.MustCompile(`(?s)([@#%].*\^\(|\^\(.*%).*(\{|\^\(|\)\s*\[)`)
	lostPattern     = regexp.MustCompile(`(?s)/.*/.*(\?:|\?\?)`)
	// these treat a single value as an array of one, unless the reference applies them
	// partially
	partialOfArray   = regexp.MustCompile(`\$(sum|max|min|average|count|map|filter|single|reduce|join|reverse|shuffle|zip|merge|sort)\s*\(\s*\?`)
	reducesByPattern = regexp.MustCompile(`(?s)\$reduce\(.*,\s*/`)
	escapedSlash     = regexp.MustCompile(`/.*\\\\[()\[\]{}].*/`)
	integerName      = regexp.MustCompile(`"\d+\\*":`)
	integerText      = regexp.MustCompile(`"\d+\\*"`)
)

// near reports whether texts are numbers, or lists of as many numbers, that differ by less
// than some seconds.
func near(a, b string) bool {
	list := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("[],", r) })
	}
	x, y := list(a), list(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		f, err1 := strconv.ParseFloat(x[i], 64)
		g, err2 := strconv.ParseFloat(y[i], 64)
		if err1 != nil || err2 != nil || math.Abs(f-g) >= 20_000 {
			return false
		}
	}
	return true
}

// sortBytes reports whether texts are the same except for the order of their parts.
func sortBytes(text string) string {
	b := []byte(text)
	slices.Sort(b)
	return string(b)
}

var deliberates = []deliberate{
	{"crash", "the reference fails with a JavaScript error, which has no code", func(_ testCase, _, theirs outcome) bool {
		return strings.HasPrefix(theirs.note, "crashes: ")
	}},
	{"hang", "the reference does not end", func(_ testCase, ours, theirs outcome) bool {
		return theirs.note == "hangs" || theirs.code == "D1012" || theirs.code == "D1011"
	}},
	{"limit", "evaluation is bounded here", func(_ testCase, ours, _ outcome) bool {
		return ours.code == "U1001" || ours.code == "U1002" || ours.code == "U1003" || ours.code == "D3150"
	}},
	{"text of a number", "within an array or an object, a number that JSON cannot represent is the text NaN, Infinity or -Infinity, as Step Functions shows it", func(c testCase, ours, theirs outcome) bool {
		return ours.code == "" && ours.value != theirs.value && unholdable.Replace(ours.value) == theirs.value
	}},
	{"number", "a result that JSON cannot represent (NaN, Infinity) is an error here, and so is a time outside the range of dates", func(c testCase, ours, theirs outcome) bool {
		return ours.code == "D1001" && strings.Contains(theirs.value, jsonataref.Number[1:]) || ours.code == "D1001" && ours.token == "fromMillis" ||
			strings.Contains(c.expr, "$formatNumber") && strings.Contains(strings.ReplaceAll(theirs.value, ",", ""), "NaN") ||
			ours.code == "D3001" && strings.HasPrefix(ours.token, "format")
	}},
	{"token", "for an error in a function, the reference names the call around it, or an earlier one, or the operator (and, or) of which it is an operand", func(c testCase, ours, theirs outcome) bool {
		if ours.code != theirs.code || ours.code == "" || ours.code[0] == 'S' {
			return false
		}
		before := theirs.token != "" && !strings.Contains(c.expr, theirs.token)
		return before || ours.token != "" && strings.Contains(c.expr, ours.token)
	}},
	{"no number", "text without a number or date is an error of $number, $parseInteger and $toMillis; the reference continues with NaN", func(_ testCase, ours, theirs outcome) bool {
		return ours.code == "D3030" && (ours.token == "parseInteger" || ours.token == "number") ||
			ours.code == "D3110" && (strings.Contains(theirs.value, jsonataref.Number[1:]) || theirs.code != "")
	}},
	{"signature", "in a choice of types in a signature, letters that are not types are ignored", func(c testCase, _, _ outcome) bool {
		return strangeChoice.MatchString(c.expr)
	}},
	{"flags", "the reference treats the flags of its sequences as members of an array", func(c testCase, ours, theirs outcome) bool {
		return ours.code == "" && (wildcardItem.MatchString(c.expr) || theirs.code != "" && strings.Contains(c.expr, "*^(") ||
			strings.Contains(c.expr, "*") && strings.Count(theirs.value, "true") > strings.Count(ours.value, "true"))
	}},
	{"thunk", "a predicate after a block at the end of a function applies to the block's value; the reference applies it to the pending tail call", func(c testCase, _, _ outcome) bool {
		return filteredBlock.MatchString(c.expr)
	}},
	{"zone", "a time zone that is not a number is an error here", func(_ testCase, ours, _ outcome) bool {
		return ours.code == "D3030" && ours.token == "fromMillis"
	}},
	{"partial", "a partially applied built-in function checks its arguments, too; the reference cannot partially apply some functions", func(c testCase, ours, theirs outcome) bool {
		return theirs.code == "S0208" && theirs.token == "=" || partialOfArray.MatchString(c.expr) || (ours.code == "T0410" || ours.code == "T0411" || ours.code == "T0412") &&
			regexp.MustCompile(`\$`+regexp.QuoteMeta(ours.token)+`(?s)\(.*\?`).MatchString(c.expr)
	}},
	{"replacement", "replacing a string with something that is not a string is an error here; the reference writes undefined, or the source of a function", func(_ testCase, ours, theirs outcome) bool {
		return ours.code == "D3012"
	}},
	{"internals", "the reference exposes the internals of its functions", func(_ testCase, ours, theirs outcome) bool {
		return strings.Contains(theirs.value, `"implementation":`) ||
			ours.code == "T2011" && theirs.code == "" // a function as what a transform updates with
	}},
	{"concurrent", "the reference evaluates the members of an object, and the items of an array, at the same time: which of two errors comes first is a matter of timing", func(c testCase, ours, theirs outcome) bool {
		return ours.code != "" && theirs.code != "" && twoMembers.MatchString(c.expr)
	}},
	{"lost", "the reference loses the regular expressions on the left of ?: and ??", func(c testCase, ours, theirs outcome) bool {
		return lostPattern.MatchString(c.expr)
	}},
	{"source", "a regular expression takes no function; the reference looks for matches in its source text", func(_ testCase, ours, _ outcome) bool {
		return ours.code == "T0410" && strings.HasPrefix(ours.token, "/")
	}},
	{"offset", "a regular expression that is called searches from the start of its text; the reference takes a second argument, such as $reduce's, as the place to start", func(c testCase, ours, theirs outcome) bool {
		return ours.code == "" && theirs.code == "" && reducesByPattern.MatchString(c.expr)
	}},
	{"added", "functions of Step Functions that the reference lacks", func(_ testCase, _, theirs outcome) bool {
		return theirs.code == "T1006" && slices.Contains([]string{"partition", "range", "hash", "uuid", "parse"}, theirs.token)
	}},
	{"same", "$distinct considers a function equal to itself", func(c testCase, ours, theirs outcome) bool {
		return strings.Contains(c.expr, "$distinct") && strings.Contains(ours.value, "function") && strings.Contains(theirs.value, "function")
	}},
	{"length", "a regular expression that is called with a number searches the number's text; the reference reports an endless search", func(_ testCase, _, theirs outcome) bool {
		return theirs.code == "D1004" && theirs.token == "next"
	}},
	{"power", "JavaScript leaves the last digits of powers to the engine", func(c testCase, ours, theirs outcome) bool {
		return usesPowers.MatchString(c.expr) && ours.code == "" && theirs.code == "" && (!strings.Contains(c.expr, "$formatNumber") || exponentPicture.MatchString(c.expr))
	}},
	{"clone", "a copy keeps all digits of a number; the reference writes 15 digits and reads them back", func(c testCase, ours, theirs outcome) bool {
		return (strings.Contains(c.expr, "$clone") || strings.Contains(c.expr, "|")) && longFraction.MatchString(ours.value)
	}},
	{"radix", "an integer beyond 2^53 is written exactly in another base", func(c testCase, ours, theirs outcome) bool {
		return strings.Contains(c.expr, "$formatBase") && len(ours.value) > 10 && ours.code == theirs.code
	}},
	{"base64", "characters that are not base64 are skipped; what Node does with them depends on its version and on the rest of the text", func(c testCase, ours, theirs outcome) bool {
		return strings.Contains(c.expr, "$base64decode")
	}},
	{"characters", "a regular expression or a search treats a character beyond U+FFFF as one; JavaScript sees two halves", func(c testCase, _, theirs outcome) bool {
		return halfPair.MatchString(theirs.value) || halfPair.MatchString(c.expr) ||
			strings.Contains(c.expr, "/") && strings.ContainsFunc(c.expr+string(c.input), func(r rune) bool { return r > 0xFFFF })
	}},
	{"tuples", "bound variables keep their values when a path is grouped, ordered or filtered after an order-by; the reference reads the internals of its tuples", func(c testCase, _, _ outcome) bool {
		return tupleSort.MatchString(c.expr)
	}},
	{"clock", "a time without a date gets today's date, and the two sides read the clock one after the other", func(c testCase, ours, theirs outcome) bool {
		return strings.Contains(c.expr, "$toMillis") && near(ours.value, theirs.value)
	}},
	{"nan", "NaN is a number", func(_ testCase, ours, theirs outcome) bool {
		return strings.Contains(ours.value, "number") && strings.Contains(theirs.value, "object")
	}},
	{"filled", "when the reference groups an empty array, it permanently adds undefined to it", func(c testCase, ours, theirs outcome) bool {
		empty := strings.Contains(c.expr, "[]") || strings.Contains(string(c.input), "[]")
		more := strings.Count(theirs.value, "null") > strings.Count(ours.value, "null")
		notNumbers := strings.Count(c.expr, "{") > 1 && theirs.code == "T0412" && ours.code == ""
		return ours.code != "S0303" && (grouping.MatchString(c.expr) && empty || strings.Contains(c.expr, "{") && more || notNumbers)
	}},
	{"eval", "any of these, in an expression that $eval evaluates", func(_ testCase, ours, theirs outcome) bool {
		return ours.code == "D3121" || theirs.code == "D3121"
	}},
	{"escape", "a bracket of a regular expression counts unless it is escaped; the reference ignores every bracket after a backslash, even after an escaped one", func(c testCase, _, theirs outcome) bool {
		return theirs.code == "S0302" && escapedSlash.MatchString(c.expr)
	}},
	{"order", "members keep their order; JavaScript moves names that are integers to the front", func(c testCase, ours, theirs outcome) bool {
		return (integerName.MatchString(theirs.value) || strings.Contains(c.expr, "{") && integerText.MatchString(theirs.value) ||
			integerName.Match(c.input) || grouping.MatchString(c.expr) && strings.Contains(c.expr, "$string")) && sortBytes(ours.value) == sortBytes(theirs.value)
	}},
	{"regexp", "regular expressions that RE2 cannot run as JavaScript does are refused", func(_ testCase, ours, _ outcome) bool {
		return ours.code == "S0303"
	}},
}

// correctedLater is the difference in a case of the dialect on which the newest version
// agrees with us.
var correctedLater = &deliberate{name: "corrected", reason: "2.0.6 has a fault that later versions do not have"}

// excuse returns the deliberate difference that explains the outcomes, if one does.
func excuse(c testCase, ours, theirs outcome) *deliberate {
	for i := range deliberates {
		if deliberates[i].is(c, ours, theirs) {
			return &deliberates[i]
		}
	}
	return nil
}
