package jsonata

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// A pattern is a compiled regular expression. It is run by backtracking, which is the
// fastest way for most expressions and texts. Where that would try too much, package
// regexp takes over: it finds the same matches, in time in proportion to the text
// whatever the expression is.
type pattern struct {
	expr   string // in the syntax of RE2
	insts  []instruction
	start  uint32
	caps   int  // numbers in the indices of a match
	atZero bool // matches at the start of the text only
	lines  bool // looks for the ends of lines
	// first are the bytes that a match can begin with, if it cannot be empty.
	hasFirst bool
	first    [256]bool

	slow func() (*regexp.Regexp, error) // for the whole text
	from func() (*regexp.Regexp, error) // for the text behind a character
}

type instruction struct {
	op       syntax.InstOp
	out, arg uint32
	ascii    [2]uint64    // the characters below U+0080 that match
	inst     *syntax.Inst // for the others
}

func newPattern(expr string) (*pattern, error) {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, err
	}
	p := &pattern{
		expr:   expr,
		start:  uint32(prog.Start),
		caps:   2 * (tree.MaxCap() + 1),
		atZero: prog.StartCond()&syntax.EmptyBeginText != 0,
		lines:  strings.Contains(expr, "(?m:"),
		slow:   sync.OnceValues(func() (*regexp.Regexp, error) { return regexp.Compile(expr) }),
		from: sync.OnceValues(func() (*regexp.Regexp, error) {
			// It begins with the character before, for ^ and \b look at that.
			return regexp.Compile(`\A(?s:.)(?s:.*?)(` + expr + `)`)
		}),
	}
	p.insts = make([]instruction, len(prog.Inst))
	for i := range prog.Inst {
		p.insts[i] = newInstruction(&prog.Inst[i])
	}
	p.hasFirst = p.findFirst(p.start, make([]bool, len(p.insts)))
	return p, nil
}

func newInstruction(in *syntax.Inst) instruction {
	out := instruction{op: in.Op, out: in.Out, arg: in.Arg, inst: in}
	switch in.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		out.op = syntax.InstRune
		for c := range rune(utf8.RuneSelf) {
			if matchesRune(in, c) {
				out.ascii[c>>6] |= 1 << (c & 63)
			}
		}
	case syntax.InstAltMatch:
		out.op = syntax.InstAlt
	}
	return out
}

func matchesRune(in *syntax.Inst, r rune) bool {
	switch in.Op {
	case syntax.InstRuneAny:
		return true
	case syntax.InstRuneAnyNotNL:
		return r != '\n'
	}
	return in.MatchRune(r)
}

// findFirst collects the bytes that a match can begin with, from an instruction on. It
// reports false if a match can be empty.
func (p *pattern) findFirst(pc uint32, seen []bool) bool {
	if seen[pc] {
		return true
	}
	seen[pc] = true
	switch in := &p.insts[pc]; in.op {
	case syntax.InstMatch:
		return false
	case syntax.InstAlt:
		return p.findFirst(in.out, seen) && p.findFirst(in.arg, seen)
	case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
		return p.findFirst(in.out, seen)
	case syntax.InstRune:
		for c := range rune(utf8.RuneSelf) {
			p.first[c] = p.first[c] || in.ascii[c>>6]>>(c&63)&1 != 0
		}
		for c := utf8.RuneSelf; c < len(p.first); c++ {
			p.first[c] = true
		}
	}
	return true
}

// A search goes through the matches of a pattern in a text.
type search struct {
	p     *pattern
	text  string
	caps  []int
	stack []choice
	steps int // so far
}

// A choice is where to go on when the way that was taken leads nowhere, or, if slot is
// not 0, what to put back: slot-1 of caps was pos.
type choice struct {
	pc   uint32
	slot uint32
	pos  int
}

const (
	maxChoices  = 1 << 14
	stepsASight = 32   // for each byte of the text that is left
	stepsAtOnce = 4096 // and for any text
)

func (p *pattern) search(text string) *search {
	return &search{p: p, text: text, caps: make([]int, p.caps)}
}

// find returns the indices of the first match at from or behind it, like
// [regexp.Regexp.FindSubmatchIndex]; nil if there is none. They are valid until the next call.
func (s *search) find(from int) ([]int, error) {
	p := s.p
	limit := s.steps + stepsAtOnce + stepsASight*(len(s.text)-from)
	for at := from; at <= len(s.text); {
		if p.hasFirst {
			for at < len(s.text) && !p.first[s.text[at]] {
				at++
			}
			if at == len(s.text) {
				return nil, nil
			}
		}
		if p.atZero && at > 0 {
			return nil, nil
		}
		matched, inTime := s.matchAt(at, limit)
		if !inTime {
			return s.findSlowly(from)
		}
		if matched {
			return s.caps, nil
		}
		if at == len(s.text) {
			break
		}
		if s.text[at] < utf8.RuneSelf {
			at++
			continue
		}
		_, n := utf8.DecodeRuneInString(s.text[at:])
		at += n
	}
	return nil, nil
}

// matchAt reports whether there is a match that begins at a place, and whether that was
// found out within the limit.
func (s *search) matchAt(at, limit int) (matched, inTime bool) {
	text, insts := s.text, s.p.insts
	for i := range s.caps {
		s.caps[i] = -1
	}
	stack := s.stack[:0]
	defer func() { s.stack = stack[:0] }()
	pc, pos := s.p.start, at
	for {
		s.steps++
		ok := true
		switch in := &insts[pc]; in.op {
		case syntax.InstMatch:
			s.caps[0], s.caps[1] = at, pos
			return true, true
		case syntax.InstAlt:
			if s.steps > limit || len(stack) > maxChoices {
				return false, false
			}
			stack = append(stack, choice{pc: in.arg, pos: pos})
			pc = in.out
		case syntax.InstCapture:
			if int(in.arg) < len(s.caps) {
				stack = append(stack, choice{slot: in.arg + 1, pos: s.caps[in.arg]})
				s.caps[in.arg] = pos
			}
			pc = in.out
		case syntax.InstEmptyWidth:
			ok = syntax.EmptyOp(in.arg)&^emptyOpsAt(text, pos) == 0
			pc = in.out
		case syntax.InstRune:
			if pos >= len(text) {
				ok = false
			} else if c := text[pos]; c < utf8.RuneSelf {
				ok = in.ascii[c>>6]>>(c&63)&1 != 0
				pos++
			} else {
				r, n := utf8.DecodeRuneInString(text[pos:])
				ok = matchesRune(in.inst, r)
				pos += n
			}
			pc = in.out
		case syntax.InstNop:
			pc = in.out
		default:
			ok = false
		}
		if ok {
			continue
		}
		for {
			n := len(stack) - 1
			if n < 0 {
				return false, true
			}
			back := stack[n]
			stack = stack[:n]
			if back.slot == 0 {
				pc, pos = back.pc, back.pos
				break
			}
			s.caps[back.slot-1] = back.pos
		}
	}
}

func emptyOpsAt(text string, pos int) syntax.EmptyOp {
	before, after := rune(-1), rune(-1)
	if pos > 0 {
		before, _ = utf8.DecodeLastRuneInString(text[:pos])
	}
	if pos < len(text) {
		after, _ = utf8.DecodeRuneInString(text[pos:])
	}
	return syntax.EmptyOpContext(before, after)
}

// findSlowly is find, by package regexp.
func (s *search) findSlowly(from int) ([]int, error) {
	if from == 0 {
		re, err := s.p.slow()
		if err != nil {
			return nil, regexpError("it is too large")
		}
		return re.FindStringSubmatchIndex(s.text), nil
	}
	re, err := s.p.from()
	if err != nil {
		return nil, regexpError("it is too large")
	}
	_, width := utf8.DecodeLastRuneInString(s.text[:from])
	start := from - width
	match := re.FindStringSubmatchIndex(s.text[start:])
	if match == nil {
		return nil, nil
	}
	match = slices.Clone(match[2:]) // of the group that is the expression
	for i := range match {
		if match[i] >= 0 {
			match[i] += start
		}
	}
	return match, nil
}
