package regexp

import (
	"math"
	"regexp/syntax"
	"unicode/utf8"
)

// A Search iterates over the matches of a pattern in a text.
type Search struct {
	p      *Pattern
	text   string
	caps   []int
	stack  []choice
	steps  int             // so far
	spent  int             // of these, the steps that were reported to spend
	lookAt int             // the step at which to report again
	spend  func(int) error // says when to give up; may be nil
	err    error           // of spend
}

// A choice is an alternative to try when the current one fails: continue at pc, at pos. If
// slot is inLoop, it is a loop at pc, which can be left at pos or at an earlier character,
// down to least. Any other slot except 0 restores a capture: caps[slot-1] was pos.
type choice struct {
	pc, slot   uint32
	pos, least int
}

const inLoop = ^uint32(0)

const (
	maxChoices  = 1 << 14
	stepsASight = 32   // for each remaining byte of the text
	stepsAtOnce = 4096 // and for any text

	stepsUnspent = 1 << 14
)

func (p *Pattern) search(text string, spend func(steps int) error) *Search {
	s := &Search{p: p, text: text, caps: make([]int, p.caps), spend: spend, lookAt: math.MaxInt}
	if spend != nil {
		s.lookAt = stepsUnspent
	}
	return s
}

// goOn reports whether to continue; it calls spend when it is due.
func (s *Search) goOn() bool {
	if s.steps >= s.lookAt {
		s.report()
	}
	return s.err == nil
}

// report passes to spend the steps that have not been reported yet.
func (s *Search) report() {
	if s.spend == nil || s.err != nil {
		return
	}
	n := s.steps - s.spent
	s.spent, s.lookAt = s.steps, s.steps+stepsUnspent
	s.err = s.spend(n)
}

// Find returns the indices of the first match at or after from, like
// [goregexp.Regexp.FindSubmatchIndex]; nil if there is none. They are valid until the
// next call.
func (s *Search) Find(from int) ([]int, error) {
	match, err := s.find(from)
	if err != nil {
		return nil, err
	}
	if s.report(); s.err != nil {
		return nil, s.err
	}
	return match, nil
}

func (s *Search) find(from int) ([]int, error) {
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
		if p.lead != nil {
			end := s.run(p.lead, at)
			if end > at && (end == len(s.text) || !p.insts[p.lead.out].exits[s.text[end]]) {
				at = end
				continue
			}
		}
		if p.atZero && at > 0 {
			return nil, nil
		}
		matched, inTime := s.matchAt(at, limit)
		if !s.goOn() {
			return nil, s.err
		}
		if !inTime || s.steps > limit && !matched {
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

// matchAt reports whether a match begins at a position, and whether that was determined
// within the limit.
func (s *Search) matchAt(at, limit int) (matched, inTime bool) {
	text, insts := s.text, s.p.insts
	for i := range s.caps {
		s.caps[i] = -1
	}
	s.stack = s.stack[:0]
	pc, pos := s.p.start, at
	for {
		s.steps++
		ok := true
		switch in := &insts[pc]; in.op {
		case syntax.InstMatch:
			s.caps[0], s.caps[1] = at, pos
			return true, true
		case syntax.InstAlt:
			if s.steps > limit || len(s.stack) > maxChoices || !s.goOn() {
				return false, false
			}
			if in.loop {
				s.stack = append(s.stack, choice{pc: pc, slot: inLoop, pos: s.run(&insts[in.out], pos), least: pos})
				ok = false // to take the last choice
				break
			}
			s.stack = append(s.stack, choice{pc: in.arg, pos: pos})
			pc = in.out
		case syntax.InstCapture:
			if int(in.arg) < len(s.caps) {
				s.stack = append(s.stack, choice{slot: in.arg + 1, pos: s.caps[in.arg]})
				s.caps[in.arg] = pos
			}
			pc = in.out
		case syntax.InstEmptyWidth:
			ok = syntax.EmptyOp(in.arg)&^emptyOpsAt(text, pos) == 0
			pc = in.out
		case syntax.InstRune:
			pos, ok = in.take(text, pos)
			pc = in.out
		case syntax.InstNop:
			pc = in.out
		default:
			ok = false
		}
		if ok {
			continue
		}
		if pc, pos, ok = s.goBack(); !ok {
			return false, true
		}
	}
}

// run returns where the characters of an instruction end.
func (s *Search) run(in *instruction, pos int) int {
	start, text := pos, s.text
	for pos < len(text) {
		if c := text[pos]; c < utf8.RuneSelf {
			if in.ascii[c>>6]>>(c&63)&1 == 0 {
				break
			}
			pos++
			continue
		}
		next, ok := in.take(text, pos)
		if !ok {
			break
		}
		pos = next
	}
	s.steps += pos - start
	return pos
}

// goBack returns what the last choice still offers; it is not ok if there is nothing left
// to try.
func (s *Search) goBack() (pc uint32, pos int, ok bool) {
	for {
		n := len(s.stack) - 1
		if n < 0 {
			return 0, 0, false
		}
		back := &s.stack[n]
		switch back.slot {
		case 0:
			s.stack = s.stack[:n]
			return back.pc, back.pos, true
		case inLoop:
			if pos, ok = s.leave(back); ok {
				return s.p.insts[back.pc].arg, pos, true
			}
		default:
			s.caps[back.slot-1] = back.pos
		}
		s.stack = s.stack[:n]
	}
}

// leave returns the next position at which to leave a loop: the last remaining one at
// which what follows the loop can begin.
func (s *Search) leave(loop *choice) (pos int, ok bool) {
	exits := s.p.insts[loop.pc].exits
	from := loop.pos
	for loop.pos >= loop.least {
		pos = loop.pos
		loop.pos--
		for loop.pos > loop.least && !utf8.RuneStart(s.text[loop.pos]) {
			loop.pos--
		}
		if exits == nil || pos < len(s.text) && exits[s.text[pos]] {
			s.steps += from - pos
			return pos, true
		}
	}
	s.steps += from - loop.least
	return 0, false
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
