package jsonata

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata/internal/regexp"
)

const (
	maxDateText   = 8192 // bytes of a time to parse
	maxComponents = 32   // components in a picture to parse with
	stepsToMake   = 64   // the approximate cost of compiling a regular expression, for each of its instructions
)

// toMillisISO reads a time in ISO 8601, as milliseconds since 1970 UTC.
func toMillisISO(s string) (any, error) {
	ms := isoMillis(s)
	if math.IsNaN(ms) {
		return nil, errorf("D3110", s)
	}
	return ms, nil
}

// toMillis reads a time that is written as the picture says, in milliseconds since 1970
// UTC. Missing components before the first given one are taken from now. The result is
// [Undefined] if the text does not match the picture.
func toMillis(pictures datePictures, s, picture string, now time.Time, spend func(steps int) error) (any, error) {
	p, err := pictures.get(picture)
	if err != nil {
		return nil, err
	}
	found, err := p.match(s, spend)
	if err != nil || found == nil {
		return Undefined, err
	}
	ms, err := found.millis(now.UTC())
	if err != nil {
		return nil, err
	}
	if math.IsNaN(ms) {
		return nil, errorf("D1001", s)
	}
	return ms, nil
}

// prepare returns the expression that texts are matched against.
func (p *datePicture) prepare() (*regexp.Pattern, error) {
	var expr strings.Builder
	expr.WriteString(`\A`)
	components := 0
	for i := range p.parts {
		part, err := p.parts[i].pattern()
		if err != nil {
			return nil, err
		}
		if p.parts[i].component != 0 {
			components++
		}
		expr.WriteString("(" + part + ")")
	}
	if components > maxComponents {
		return nil, pictureLimit("the picture of a date and time to parse has more than 32 components")
	}
	expr.WriteString(`\z`)
	re, err := regexp.CompileRE2(expr.String())
	if err != nil {
		return nil, pictureLimit("the picture of a date and time is too complex to parse with")
	}
	return re, nil
}

// match finds the components in s; it returns nil if s does not match, or if there are
// none.
func (p *datePicture) match(s string, spend func(steps int) error) (dateFields, error) {
	if len(s) > maxDateText {
		return nil, pictureLimit("the text of a date and time is longer than 8192 bytes")
	}
	re, err := p.reader()
	if err != nil {
		return nil, err
	}
	if !p.kept && spend != nil { // it was compiled just now, which costs time
		if err := spend(stepsToMake * re.Size()); err != nil {
			return nil, err
		}
	}
	search, err := re.Search(s, spend)
	if err != nil {
		return nil, err
	}
	at, err := search.Find(0)
	parts := p.parts
	if at == nil || err != nil || !slices.ContainsFunc(parts, func(p datePart) bool { return p.component != 0 }) {
		return nil, err
	}
	fields := dateFields{}
	for i := range parts {
		if parts[i].component == 0 {
			continue
		}
		value, ok, err := parts[i].parse(s[at[2*i+2]:at[2*i+3]])
		if err != nil {
			return nil, err
		}
		delete(fields, parts[i].component)
		if ok {
			fields[parts[i].component] = value
		}
	}
	return fields, nil
}

// pattern returns the regular expression for a part. It ignores case.
func (p *datePart) pattern() (string, error) {
	switch {
	case p.component == 0:
		return regexp.FoldText(p.literal), nil
	case p.isZone():
		expr := "[-+][0-9]+"
		if p.component == 'z' {
			expr = regexp.FoldText("GMT") + expr
		}
		if p.integer.regular {
			expr += regexp.FoldText(string(p.integer.separators[0].char)) + "[0-9]+"
		}
		return expr, nil
	case p.component == 'f':
		return "[0-9]+", nil
	case p.integer != nil:
		return p.integer.pattern()
	case p.component == 'M' || p.component == 'x' || p.component == 'F' || p.component == 'P':
		return "[a-zA-Z]+", nil
	}
	return "", errorf("D3133", string(p.component))
}

// pattern returns the regular expression for an integer.
func (p *integerPicture) pattern() (string, error) {
	switch p.kind {
	case kindLetters:
		return "[a-zA-Z]+", nil
	case kindRoman:
		return "[MDCLXVImdclxvi]+", nil
	case kindWords:
		words := make([]string, 0, len(numberWords())+2)
		for _, w := range numberWords() {
			words = append(words, regexp.FoldText(w.word))
		}
		words = append(words, regexp.FoldText("and"), "[-, ]")
		return "(?:" + strings.Join(words, "|") + ")+", nil
	case kindDecimal:
		expr := "[0-9]+"
		if p.parseWidth > 0 {
			expr = "[0-9]{" + strconv.Itoa(min(p.parseWidth, maxPicture)) + "}"
		}
		if p.ordinal {
			expr += "(?:[tT][hH]|[sS][tT]|[nN][dD]|[rR][dD])"
		}
		return expr, nil
	}
	return "", errorf("D3130", p.token)
}

// parse reads a component. It is not ok if a name is unknown; the component is then
// treated as missing.
func (p *datePart) parse(s string) (value float64, ok bool, err error) {
	switch {
	case p.isZone():
		return p.parseZone(s), true, nil
	case p.component == 'f':
		f, _ := strconv.ParseFloat("0."+s[:min(3, len(s))], 64)
		return f * 1000, true, nil
	case p.integer != nil:
		value, err = p.integer.parse(s)
		return value, true, err
	case p.component == 'P':
		switch s {
		case "am", "AM":
			return 0, true, nil
		case "pm", "PM":
			return 1, true, nil
		}
		return 0, false, nil
	}
	names := monthNames
	if p.component == 'F' {
		names = dayNames
	}
	for i := len(names) - 1; i >= 0; i-- { // of names that are equal at this width, the last one is used
		name := names[i]
		if p.hasMax {
			name = name[:min(p.maxWidth, len(name))]
		}
		if name == s {
			if p.component != 'F' {
				i++
			}
			return float64(i), true, nil
		}
	}
	return 0, false, nil
}

// parseZone returns an offset in minutes. As in the reference, the sign only applies to
// the hours.
func (p *datePart) parseZone(s string) float64 {
	if p.component == 'z' {
		s = s[len("GMT"):]
	}
	if p.integer.regular {
		sep := string(p.integer.separators[0].char)
		if i := strings.Index(s, sep); i >= 0 {
			return leadingInteger(s[:i])*60 + leadingInteger(s[i+len(sep):])
		}
	}
	if len(s) <= 3 {
		return leadingInteger(s) * 60
	}
	return leadingInteger(s[:3])*60 + leadingInteger(s[3:])
}

// dateFields holds the components of a text by their letters.
type dateFields map[byte]float64

// has reports whether a component is given and not zero. The reference distinguishes the
// kinds of dates in this way, so midnight looks like a missing hour.
func (f dateFields) has(component byte) bool {
	v := f[component]
	return v != 0 && !math.IsNaN(v)
}

// only reports whether, of the components in all, some of those in allowed are given
// and no others.
func (f dateFields) only(all, allowed string) bool {
	some := false
	for _, c := range []byte(all) {
		if f.has(c) {
			if strings.IndexByte(allowed, c) < 0 {
				return false
			}
			some = true
		}
	}
	return some
}

// millis computes the time. A date is given by year, month and day, or by year and day of
// the year; weeks are refused, as in the reference. Hours are counted to 24 or to 12.
func (f dateFields) millis(now time.Time) (float64, error) {
	const dates, times = "YXMxWwdD", "PHhmsf"
	monthDate := f.only(dates, "YMD")
	yearDate := !monthDate && f.only(dates, "Yd")
	monthWeek := f.only(dates, "XxwF")
	yearWeek := !monthWeek && f.only(dates, "XWF")
	halfDay := !f.only(times, "Hmsf") && f.only(times, "Phmsf")

	order := "YMD"
	switch {
	case yearDate:
		order = "YD"
	case monthWeek:
		order = "XxwF"
	case yearWeek:
		order = "XWF"
	}
	if halfDay {
		order += "Phmsf"
	} else {
		order += "Hmsf"
	}
	if err := f.complete(order, now); err != nil {
		return 0, err
	}
	if monthWeek || yearWeek {
		return 0, errorf("D3136", nil)
	}
	month, day := math.Max(f['M']-1, 0), f['D']
	if yearDate {
		// A day beyond the end of the year counts on from that year, as in the reference.
		t, err := timeOf(utcMillis(f['Y'], 0, f['d'], 0))
		if err != nil {
			return 0, err
		}
		month, day = float64(t.Month()-1), float64(t.Day())
	}
	hour := f['H']
	if halfDay {
		hour = f['h']
		if hour == 12 {
			hour = 0
		}
		if f['P'] == 1 {
			hour += 12
		}
	}
	ms := math.Trunc(hour)*3_600_000 + math.Trunc(f['m'])*60_000 + math.Trunc(f['s'])*1000 + math.Trunc(f['f'])
	ms = utcMillis(f['Y'], month, day, ms)
	if f.has('Z') {
		return ms - f['Z']*60_000, nil
	}
	return ms - f['z']*60_000, nil
}

// complete fills in missing components: those before the first given component of order are
// taken from now, and those after the last one get the least value. It refuses gaps.
func (f dateFields) complete(order string, now time.Time) error {
	started, ended := false, false
	for _, c := range []byte(order) {
		_, given := f[c]
		switch {
		case given && ended:
			return errorf("D3136", nil)
		case given:
			started = true
		case !started && c != 'P': // now's half of the day has no number
			f[c] = dateComponent(now, c)
		case !started:
			f[c] = -1
		default:
			ended = true
			if c == 'M' || c == 'D' {
				f[c] = 1
			} else {
				f[c] = 0
			}
		}
	}
	return nil
}
