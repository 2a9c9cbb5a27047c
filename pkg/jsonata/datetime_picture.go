package jsonata

import (
	"strconv"
	"strings"
	"sync"

	"github.com/expressway-dev/expressway/pkg/jsonata/internal/regexp"
)

// maxDatePicture is the maximum length of the picture of a date and time.
const maxDatePicture = 8192

type nameStyle int

const (
	namesNone nameStyle = iota
	namesLower
	namesUpper
	namesTitle
)

// A datePart is literal text, if component is 0, or a component of a date and time.
type datePart struct {
	literal    string
	component  byte
	names      nameStyle
	integer    *integerPicture // nil for names
	zulu       bool            // UTC is written Z
	hasMax     bool
	maxWidth   int
	yearDigits int // last digits of a year to write, 0 for all
}

// A datePicture is an analysed picture of a date and time.
type datePicture struct {
	parts  []datePart
	kept   bool                            // it is a literal of the expression
	reader func() (*regexp.Pattern, error) // parses texts in that format
}

// datePictures holds the pictures that are literals of an expression, by their text.
// Computed pictures are analysed when they are used.
type datePictures map[string]*datePicture

func (d datePictures) get(picture string) (*datePicture, error) {
	if picture == isoPicture {
		return iso()
	}
	if p, ok := d[picture]; ok {
		return p, nil
	}
	return newDatePicture(picture)
}

var iso = sync.OnceValues(func() (*datePicture, error) {
	p, err := newDatePicture(isoPicture)
	if err == nil {
		p.kept = true
	}
	return p, err
})

func newDatePicture(picture string) (*datePicture, error) {
	parts, err := parseDatePicture(picture)
	if err != nil {
		return nil, err
	}
	p := &datePicture{parts: parts}
	p.reader = sync.OnceValues(p.prepare)
	return p, nil
}

// add keeps a picture, unless it is wrong.
func (d *datePictures) add(picture string) {
	if picture == isoPicture {
		return
	}
	p, err := newDatePicture(picture)
	if err != nil {
		return // the error is reported when it is used
	}
	if *d == nil {
		*d = datePictures{}
	}
	p.kept = true
	(*d)[picture] = p
}

// presentations says how components are written if the picture does not say.
var presentations = map[byte]string{
	'Y': "1", 'M': "1", 'D': "1", 'd': "1", 'F': "n", 'W': "1", 'w': "1", 'X': "1", 'x': "1", 'H': "1", 'h': "1",
	'P': "n", 'm': "01", 's': "01", 'f': "1", 'Z': "01:01", 'z': "01:01", 'C': "n", 'E': "n",
}

// parseDatePicture analyses a picture.
func parseDatePicture(picture string) ([]datePart, error) {
	if len(picture) > maxDatePicture {
		return nil, pictureLimit("the picture of a date and time is longer than 8192 bytes")
	}
	var parts []datePart
	literal := func(s string) {
		if s != "" {
			parts = append(parts, datePart{literal: strings.ReplaceAll(s, "]]", "]")})
		}
	}
	for {
		open := strings.IndexByte(picture, '[')
		if open < 0 {
			literal(picture)
			return parts, nil
		}
		literal(picture[:open])
		picture = picture[open+1:]
		if strings.HasPrefix(picture, "[") {
			parts = append(parts, datePart{literal: "["})
			picture = picture[1:]
			continue
		}
		marker, rest, ok := strings.Cut(picture, "]")
		if !ok {
			return nil, errorf("D3135", nil)
		}
		picture = rest
		part, err := parseMarker(strings.Join(strings.FieldsFunc(marker, regexp.IsSpace), ""))
		if err != nil {
			return nil, err
		}
		if n := len(parts); n > 0 && part.integer != nil && !part.isZone() && parts[n-1].integer != nil {
			// If digits follow digits, only their count determines where the first number
			// ends.
			parts[n-1].integer.parseWidth = parts[n-1].integer.mandatory
		}
		parts = append(parts, part)
	}
}

func (p *datePart) isZone() bool { return p.component == 'Z' || p.component == 'z' }

// parseMarker analyses the text between brackets, a [variable marker] without its spaces.
//
// [variable marker]: https://www.w3.org/TR/xpath-functions-31/#date-picture-string
func parseMarker(marker string) (datePart, error) {
	if marker == "" || presentations[marker[0]] == "" {
		first := ""
		for _, r := range marker {
			first = string(r)
			break
		}
		return datePart{}, errorf("D3132", first)
	}
	p := datePart{component: marker[0]}
	presentation, minWidth := marker[1:], 0
	if comma := strings.LastIndexByte(presentation, ','); comma >= 0 {
		least, most, hasMax := strings.Cut(presentation[comma+1:], "-")
		presentation = presentation[:comma]
		var err error
		if minWidth, _, err = parseWidth(least); err != nil {
			return p, err
		}
		if hasMax {
			if p.maxWidth, p.hasMax, err = parseWidth(most); err != nil {
				return p, err
			}
		}
	}
	ordinal := ""
	if presentation == "" {
		presentation = presentations[p.component]
	} else if n := len(presentation) - 1; n > 0 && strings.IndexByte("atco", presentation[n]) >= 0 {
		p.zulu = presentation[n] == 't'
		ordinal = ";" + presentation[n:]
		presentation = presentation[:n]
	}
	switch {
	case strings.HasPrefix(presentation, "n"):
		p.names = namesLower
	case strings.HasPrefix(presentation, "Nn"):
		p.names = namesTitle
	case strings.HasPrefix(presentation, "N"):
		p.names = namesUpper
	}
	var err error
	switch p.component {
	case 'P', 'C', 'E':
	case 'Z', 'z':
		p.integer, err = parseIntegerPicture(presentation)
	default:
		if p.names == namesNone {
			p.integer, err = parseIntegerPicture(presentation + ordinal)
		}
	}
	if err != nil || p.integer == nil || p.isZone() {
		return p, err
	}
	p.setWidth(minWidth)
	return p, nil
}

func (p *datePart) setWidth(least int) {
	decimal := p.integer.kind == kindDecimal
	if decimal {
		p.integer.mandatory = max(p.integer.mandatory, least)
	}
	if p.component != 'Y' {
		return
	}
	if p.hasMax {
		p.yearDigits = p.maxWidth
		p.integer.mandatory = p.maxWidth
	} else if n := p.integer.mandatory + p.integer.optional; n >= 2 {
		p.yearDigits = n
	}
}

// parseWidth reads one end of a width; * leaves it open.
func parseWidth(s string) (width int, ok bool, err error) {
	if s == "*" {
		return 0, false, nil
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 0 || n > maxDigits {
		return 0, false, pictureLimit("a width in the picture of a date and time must be from 1 to 100, or *")
	}
	return int(n), true, nil
}
