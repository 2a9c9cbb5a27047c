package regexp

import (
	goregexp "regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"unicode/utf8"
)

// A Pattern is a compiled regular expression. It is run by backtracking, which is fastest
// for most expressions and texts. If backtracking takes too many steps, package regexp takes over:
// it finds the same matches, in time proportional to the text for any expression.
type Pattern struct {
	expr   string // in the syntax of RE2
	insts  []instruction
	start  uint32
	caps   int  // the number of indices of a match
	atZero bool // it only matches at the start of the text
	lines  bool // it looks for the ends of lines
	// first are the bytes that a match can begin with, if it cannot be empty.
	hasFirst bool
	first    [256]bool

	// lead is the loop with which the pattern begins, if it is one that can only be left
	// at its very end, such as that of \w+@.
	lead *instruction

	slow func() (*goregexp.Regexp, error) // for the whole text
	from func() (*goregexp.Regexp, error) // for the text after a character
}

type instruction struct {
	op       syntax.InstOp
	out, arg uint32
	ascii    [2]uint64    // the characters below U+0080 that match
	inst     *syntax.Inst // for the others
	// loop: one character, as often as possible. exits are the bytes that can follow it;
	// nil if nothing needs to follow.
	loop  bool
	exits *[256]bool
}

// Size returns the number of instructions of the compiled pattern.
func (p *Pattern) Size() int { return len(p.insts) }

// CompileRE2 compiles an expression in the syntax of RE2.
func CompileRE2(expr string) (*Pattern, error) {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, err
	}
	p := &Pattern{
		expr:   expr,
		start:  uint32(prog.Start),
		caps:   2 * (tree.MaxCap() + 1),
		atZero: prog.StartCond()&syntax.EmptyBeginText != 0,
		lines:  strings.Contains(expr, "(?m:"),
		slow:   sync.OnceValues(func() (*goregexp.Regexp, error) { return goregexp.Compile(expr) }),
		from: sync.OnceValues(func() (*goregexp.Regexp, error) {
			// It includes the character before the start, because ^ and \b look at it.
			return goregexp.Compile(`\A(?s:.)(?s:.*?)(` + expr + `)`)
		}),
	}
	p.insts = make([]instruction, len(prog.Inst))
	for i := range prog.Inst {
		p.insts[i] = newInstruction(&prog.Inst[i])
	}
	p.findLoops()
	p.hasFirst = p.findFirst(p.start, &p.first, make([]bool, len(p.insts)))
	p.lead = p.findLead()
	return p, nil
}

// maxExits bounds the number of loops whose followers are computed, which takes time
// proportional to the rest of the pattern.
const maxExits = 32

func (p *Pattern) findLoops() {
	loops := 0
	for i := range p.insts {
		in := &p.insts[i]
		if in.loop = p.isLoop(uint32(i)); !in.loop || loops == maxExits {
			continue
		}
		loops++
		if exits := new([256]bool); p.findFirst(in.arg, exits, make([]bool, len(p.insts))) {
			in.exits = exits
		}
	}
}

// findLead returns the character of the loop that the pattern begins with, if what
// follows the loop cannot begin with a character of the loop.
func (p *Pattern) findLead() *instruction {
	pc := p.start
	for p.insts[pc].op == syntax.InstCapture || p.insts[pc].op == syntax.InstNop {
		pc = p.insts[pc].out
	}
	in := &p.insts[pc]
	loop := &p.insts[in.out]
	if in.op != syntax.InstRune || !loop.loop || loop.out != pc || loop.exits == nil {
		return nil
	}
	var taken [256]bool
	p.findFirst(pc, &taken, make([]bool, len(p.insts)))
	for c := range taken {
		if taken[c] && loop.exits[c] && (c < utf8.RuneSelf || in.beyondASCII()) {
			return nil
		}
	}
	return in
}

// beyondASCII reports whether the instruction accepts characters from U+0080 on.
func (in *instruction) beyondASCII() bool {
	switch in.inst.Op {
	case syntax.InstRune, syntax.InstRune1:
		n := len(in.inst.Rune) // 0 for [], which accepts nothing
		return n > 0 && (in.inst.Rune[n-1] >= utf8.RuneSelf || syntax.Flags(in.inst.Arg)&syntax.FoldCase != 0)
	}
	return true
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

// isLoop reports whether an instruction leads to a character and back, as that of \w*
// does.
func (p *Pattern) isLoop(pc uint32) bool {
	in := &p.insts[pc]
	return in.op == syntax.InstAlt && p.insts[in.out].op == syntax.InstRune && p.insts[in.out].out == pc
}

// take returns the position after the character at pos, if the instruction accepts it.
func (in *instruction) take(text string, pos int) (int, bool) {
	if pos >= len(text) {
		return pos, false
	}
	if c := text[pos]; c < utf8.RuneSelf {
		return pos + 1, in.ascii[c>>6]>>(c&63)&1 != 0
	}
	r, n := utf8.DecodeRuneInString(text[pos:])
	return pos + n, matchesRune(in.inst, r)
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

// findFirst collects the bytes with which a match can continue from an instruction. It
// reports false if the match can end there.
func (p *Pattern) findFirst(pc uint32, first *[256]bool, seen []bool) bool {
	if seen[pc] {
		return true
	}
	seen[pc] = true
	switch in := &p.insts[pc]; in.op {
	case syntax.InstMatch:
		return false
	case syntax.InstAlt:
		return p.findFirst(in.out, first, seen) && p.findFirst(in.arg, first, seen)
	case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
		return p.findFirst(in.out, first, seen)
	case syntax.InstRune:
		for c := range rune(utf8.RuneSelf) {
			first[c] = first[c] || in.ascii[c>>6]>>(c&63)&1 != 0
		}
		for c := utf8.RuneSelf; c < len(first); c++ {
			first[c] = true
		}
	}
	return true
}
