package jsonata

import (
	"math"
	"strings"
	"time"
)

const (
	dayMillis = 24 * 60 * 60 * 1000
	// maxMillis is the farthest from 1970 that a JavaScript date can be.
	maxMillis = 8.64e15
)

var (
	dayNames   = []string{"", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
	monthNames = []string{
		"January", "February", "March", "April", "May", "June",
		"July", "August", "September", "October", "November", "December",
	}
)

// isoPicture is the format of JavaScript's toISOString.
const isoPicture = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]"

// utc is the timezone without an offset.
const utc = "0"

// fromMillis writes a time, in milliseconds since 1970 UTC, as the picture of a
// [date and time] says. The timezone is an offset
// such as "+0200".
//
// [date and time]: https://www.w3.org/TR/xpath-functions-31/#formatting-dates-and-times
func fromMillis(pictures datePictures, ms float64, picture, timezone string) (string, error) {
	p, err := pictures.get(picture)
	if err != nil {
		return "", err
	}
	zone, err := parseZone(timezone)
	if err != nil {
		return "", err
	}
	t, err := timeOf(ms + float64(zone.minutes())*60_000)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for i := range p.parts {
		s, err := p.parts[i].format(t, zone)
		if err != nil {
			return "", err
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

func timeOf(ms float64) (time.Time, error) {
	if !(math.Abs(ms) <= maxMillis) { // excludes NaN too
		return time.Time{}, errorf("D1001", ms)
	}
	return time.UnixMilli(int64(ms)).UTC(), nil
}

// A zone is an offset from UTC. The reference splits +hhmm by dividing by 100 and
// rounding down, so -0330 becomes -4 hours and -30 minutes.
type zone struct{ hours, mins int }

func (z zone) minutes() int { return 60*z.hours + z.mins }

func parseZone(s string) (zone, error) {
	offset := leadingInteger(s)
	if !(math.Abs(offset) < 1e9) {
		return zone{}, errorf("D3030", s)
	}
	return zone{int(math.Floor(offset / 100)), int(offset) % 100}, nil
}

// format writes one part of a picture.
func (p *datePart) format(t time.Time, z zone) (string, error) {
	switch p.component {
	case 0:
		return p.literal, nil
	case 'C', 'E':
		return "ISO", nil
	case 'P':
		name := "am"
		if t.Hour() >= 12 {
			name = "pm"
		}
		if p.names == namesUpper {
			name = strings.ToUpper(name)
		}
		return name, nil
	case 'Z', 'z':
		return p.formatZone(z)
	}
	value := dateComponent(t, p.component)
	if p.names != namesNone {
		return p.formatName(int(value))
	}
	if p.component == 'Y' && p.yearDigits > 0 {
		value = math.Mod(value, math.Pow10(p.yearDigits))
	}
	return p.integer.format(value)
}

func (p *datePart) formatName(value int) (string, error) {
	var name string
	switch p.component {
	case 'M', 'x':
		name = monthNames[value-1]
	case 'F':
		name = dayNames[value]
	default:
		return "", errorf("D3133", string(p.component))
	}
	switch p.names {
	case namesUpper:
		name = strings.ToUpper(name)
	case namesLower:
		name = strings.ToLower(name)
	}
	if p.hasMax && len(name) > p.maxWidth {
		name = name[:p.maxWidth]
	}
	return name, nil
}

func (p *datePart) formatZone(z zone) (string, error) {
	offset := float64(z.hours*100 + z.mins)
	digits := p.integer.mandatory
	var s string
	var err error
	switch {
	case p.integer.regular || digits == 3 || digits == 4:
		s, err = p.integer.format(offset)
	case digits == 1 || digits == 2:
		s, err = p.integer.format(float64(z.hours))
		if z.mins != 0 && err == nil {
			var minutes string
			minutes, err = formatInteger(float64(z.mins), "00")
			s += ":" + minutes
		}
	default:
		return "", errorf("D3134", float64(digits))
	}
	if err != nil {
		return "", err
	}
	if offset >= 0 {
		s = "+" + s
	}
	if p.component == 'z' {
		s = "GMT" + s
	}
	if offset == 0 && p.zulu {
		s = "Z"
	}
	return s, nil
}

// dateComponent returns the part of a time that a component of a picture refers to.
func dateComponent(t time.Time, component byte) float64 {
	year, month := t.Year(), int(t.Month())-1
	today := utcMillis(float64(year), float64(month), float64(t.Day()), 0)
	switch component {
	case 'Y':
		return float64(year)
	case 'M':
		return float64(month + 1)
	case 'D':
		return float64(t.Day())
	case 'd':
		return (today-utcMillis(float64(year), 0, 1, 0))/dayMillis + 1
	case 'F':
		return float64((int(t.Weekday())+6)%7 + 1)
	case 'W':
		return weekOf(today, firstWeek(year-1, 0), firstWeek(year, 0), firstWeek(year+1, 0))
	case 'w':
		return weekOf(today, firstWeek(year, month-1), firstWeek(year, month), firstWeek(year, month+1))
	case 'X':
		return float64(year + weekSide(t, firstWeek(year, 0), firstWeek(year+1, 0)))
	case 'x':
		side := weekSide(t, firstWeek(year, month), firstWeek(year, month+1))
		return float64((month+side+12)%12 + 1)
	case 'H':
		return float64(t.Hour())
	case 'h':
		return float64((t.Hour()+11)%12 + 1)
	case 'm':
		return float64(t.Minute())
	case 's':
		return float64(t.Second())
	case 'f':
		return float64(t.Nanosecond() / int(time.Millisecond))
	}
	return 0
}

// firstWeek returns the start of the first week of a year or month: as in ISO 8601, the
// one, starting on Monday, that contains the first Thursday.
func firstWeek(year, month int) float64 {
	if month < 0 {
		year, month = year-1, month+12
	}
	if month > 11 {
		year, month = year+1, month-12
	}
	first := utcMillis(float64(year), float64(month), 1, 0)
	weekday := math.Mod(first/dayMillis+3, 7) // 1970 began on a Thursday
	if weekday < 0 {
		weekday += 7
	}
	if weekday > 3 { // Friday, Saturday or Sunday
		return first + (7-weekday)*dayMillis
	}
	return first - weekday*dayMillis
}

// weekOf counts weeks from the first week of the period in which today lies, given the
// first weeks of the period before, of this one, and of the next.
func weekOf(today, before, this, next float64) float64 {
	switch {
	case today < this:
		this = before
	case today >= next:
		return 1
	}
	return math.Floor((today-this)/(7*dayMillis)) + 1
}

// weekSide returns -1 for a time that belongs to the previous period, and 1 for the next
// one.
func weekSide(t time.Time, this, next float64) int {
	switch now := float64(t.UnixMilli()); {
	case now < this:
		return -1
	case now >= next:
		return 1
	}
	return 0
}

// utcMillis is JavaScript's Date.UTC: the month counts from 0, fields may be out of
// range, and the years 0 to 99 mean 1900 to 1999. It returns NaN for a time that a date
// cannot hold.
func utcMillis(year, month, day, ms float64) float64 {
	year, month = math.Trunc(year), math.Trunc(month)
	if year >= 0 && year <= 99 {
		year += 1900
	}
	year += math.Floor(month / 12)
	month -= 12 * math.Floor(month/12)
	if !(math.Abs(year) < 400_000) || math.IsNaN(month) {
		return math.NaN()
	}
	first := time.Date(int(year), time.Month(int(month)+1), 1, 0, 0, 0, 0, time.UTC)
	total := float64(first.UnixMilli()) + float64((math.Trunc(day)-1)*dayMillis) + ms
	if !(math.Abs(total) <= maxMillis) {
		return math.NaN()
	}
	return math.Trunc(total)
}
