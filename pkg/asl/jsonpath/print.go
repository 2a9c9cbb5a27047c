package jsonpath

import (
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

func (p *Path) print(b *strings.Builder) {
	if p.relative {
		b.WriteByte('@')
	} else {
		b.WriteByte('$')
	}
	for i := range p.steps {
		p.steps[i].print(b)
	}
	if p.fn == nil {
		return
	}
	b.WriteString("." + p.fn.name + "(")
	for i := range p.fn.args {
		if i > 0 {
			b.WriteByte(',')
		}
		p.fn.args[i].print(b)
	}
	b.WriteByte(')')
}

func (s *step) print(b *strings.Builder) {
	switch s.kind {
	case descend:
		b.WriteString("..")
		return
	case filter:
		b.WriteString("[?(")
		s.cond.print(b)
		b.WriteString(")]")
		return
	}
	b.WriteByte('[')
	switch s.kind {
	case member:
		printName(b, s.name)
	case element:
		b.WriteString(strconv.Itoa(s.index))
	case wildcard:
		b.WriteByte('*')
	case members:
		for i, name := range s.names {
			if i > 0 {
				b.WriteByte(',')
			}
			printName(b, name)
		}
	case elements:
		for i, n := range s.indexes {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strconv.Itoa(n))
		}
	case slice:
		if s.slice.hasStart {
			b.WriteString(strconv.Itoa(s.slice.start))
		}
		b.WriteByte(':')
		if s.slice.hasEnd {
			b.WriteString(strconv.Itoa(s.slice.end))
		}
		if s.slice.step != 1 {
			b.WriteString(":" + strconv.Itoa(s.slice.step))
		}
	}
	b.WriteByte(']')
}

// printName writes a name in quotes that can enclose it: an odd number of backslashes
// before a quote of the same kind would be read as that quote alone.
func printName(b *strings.Builder, name string) {
	quote := byte('\'')
	if oddBackslashesBefore(name, quote) {
		quote = '"'
	}
	b.WriteByte(quote)
	for i := range len(name) {
		if name[i] == quote {
			b.WriteByte('\\')
		}
		b.WriteByte(name[i])
	}
	b.WriteByte(quote)
}

func oddBackslashesBefore(name string, quote byte) bool {
	odd := false
	for i := range len(name) {
		if odd && name[i] == quote {
			return true
		}
		odd = name[i] == '\\' && !odd
	}
	return false
}

// Parentheses are only written if operator precedence requires them, so that a printed
// path never nests deeper than the parsed one.
func (c orCondition) print(b *strings.Builder) {
	for i, e := range c {
		if i > 0 {
			b.WriteString(" || ")
		}
		e.print(b)
	}
}

func (c andCondition) print(b *strings.Builder) {
	for i, e := range c {
		if i > 0 {
			b.WriteString(" && ")
		}
		_, isOr := e.(orCondition)
		printGroup(b, e, isOr)
	}
}

func (c notCondition) print(b *strings.Builder) {
	b.WriteByte('!')
	_, isOr := c.of.(orCondition)
	_, isAnd := c.of.(andCondition)
	printGroup(b, c.of, isOr || isAnd)
}

func printGroup(b *strings.Builder, c condition, parentheses bool) {
	if !parentheses {
		c.print(b)
		return
	}
	b.WriteByte('(')
	c.print(b)
	b.WriteByte(')')
}

func (c existsCondition) print(b *strings.Builder) { c.path.print(b) }

func (c relation) print(b *strings.Builder) {
	c.left.print(b)
	b.WriteString(" " + c.op.String() + " ")
	c.right.print(b)
}

func (o *operand) print(b *strings.Builder) {
	switch {
	case o.path != nil:
		o.path.print(b)
	case o.pattern != nil:
		b.WriteString("/" + o.pattern.text + "/" + o.pattern.flags)
	default:
		text, err := jsonata.AppendJSON(nil, o.literal)
		if err != nil { // literals consist of JSON values only
			panic("jsonpath: literal: " + err.Error())
		}
		b.Write(text)
	}
}

// String returns the operator as it is written in a path.
func (op operator) String() string {
	for _, s := range symbols {
		if s.op == op {
			return s.text
		}
	}
	for word, o := range words {
		if o == op {
			return word
		}
	}
	return "?"
}
