package jsonata

import "strings"

// checkNodes is enough nodes for most expressions.
const checkNodes = 64

// A Checker checks expressions that have the same options, one after the other, and reuses
// the memory of the last one. It is not safe for concurrent use.
type Checker struct {
	conf    *config
	spare   [checkNodes]node // of trees that were only inspected
	lists   [checkNodes * listRoom]*node
	finder  referenceFinder
	members []Member // of plain paths
	made    nodes
}

// NewChecker returns a Checker.
func NewChecker(o Options) *Checker { return &Checker{conf: o.config()} }

// Check parses an expression as [Compile] does, with the same errors, and only keeps its
// references. With it, a program that reads hundreds of expressions at startup can report
// every mistake in them, and compile each on first use.
func Check(expr string) ([]Reference, error) { return Options{}.Check(expr) }

// Check is [Check] with options.
func (o Options) Check(expr string) ([]Reference, error) { return NewChecker(o).Check(expr) }

// Check is [Check] with the options of the Checker. The references are valid until the next
// call.
func (c *Checker) Check(expr string) ([]Reference, error) {
	c.finder.reset()
	c.members = c.members[:0]
	if r, ok := c.plainPath(expr); ok && c.conf.builtin(r.Name) == nil {
		c.finder.found = append(c.finder.found, r)
		return c.finder.found, nil
	}
	c.made = nodes{free: c.spare[:], lists: c.lists[:], inspected: true}
	defer func() {
		clear(c.spare[:checkNodes-c.made.unused(c.spare[:])])
		clear(c.lists[:len(c.lists)-len(c.made.lists)])
	}()
	root, _, err := parseInto(expr, c.conf, &c.made)
	if err != nil {
		return nil, err
	}
	return c.finder.of(root), nil
}

// unused returns how many of the initial nodes have not been used, 0 if there were too few.
func (s *nodes) unused(first []node) int {
	if n := len(s.free); n > 0 && &s.free[n-1] == &first[len(first)-1] {
		return n
	}
	return 0
}

// plainPath reads an expression that consists only of a variable and members, as most do.
// Their names consist of letters, digits and underscores, or are in double quotes.
func (c *Checker) plainPath(expr string) (r Reference, ok bool) {
	start := 0
	for start < len(expr) && strings.IndexByte(space, expr[start]) >= 0 {
		start++
	}
	if start == len(expr) || expr[start] != '$' {
		return r, false
	}
	text := strings.TrimRight(expr, space)
	at := start + 1
	name := wordAt(text, at)
	if name == "" {
		return r, false
	}
	r = Reference{Kind: VariableReference, Name: name, Position: start}
	at += len(name)
	for at < len(text) {
		if text[at] != '.' || at+1 == len(text) {
			return r, false
		}
		at++
		var member string
		position := at
		if text[at] == '"' {
			end := strings.IndexFunc(text[at+1:], func(c rune) bool { return c == '"' || c == '\\' || c < ' ' || c > '~' })
			if end < 0 || text[at+1+end] != '"' {
				return r, false
			}
			member = text[at+1 : at+1+end]
			at += end + 2
		} else {
			member = wordAt(text, at)
			at += len(member)
			switch {
			case member == "", member[0] >= '0' && member[0] <= '9':
				return r, false
			case member == "and", member == "or", member == "in", member == "true", member == "false", member == "null":
				return r, false
			}
		}
		c.members = append(c.members, Member{member, position})
	}
	if len(c.members) > 0 {
		r.Members = c.members
	}
	return r, true
}

// wordAt returns the letters, digits and underscores at an offset.
func wordAt(s string, at int) string {
	end := at
	for end < len(s) {
		c := s[end]
		if c != '_' && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') {
			break
		}
		end++
	}
	return s[at:end]
}
