package jsonata

import "math"

// lengthsOf returns how many items or members the arrays and objects of a text have, in the
// order in which they begin. The decoder allocates exactly that much. Of text that is not
// JSON, it returns anything. It uses the capacity of lengths.
func lengthsOf(lengths []int32, text []byte) []int32 {
	if len(text) > math.MaxInt32 {
		return nil
	}
	var space [32]int32
	open := space[:0] // the arrays and objects that have not ended, by their place in lengths
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i = endOfRun(text, i+1); i < len(text) && text[i] != '"'; i = endOfRun(text, i) {
				i += 2 // an escape, or a control character
			}
		case '[', '{':
			if len(open) == maxDepth {
				return lengths // the decoder refuses the text
			}
			open = append(open, int32(len(lengths)))
			lengths = append(lengths, 1)
		case ']', '}':
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		case ',':
			if len(open) > 0 {
				lengths[open[len(open)-1]]++
			}
		}
	}
	return lengths
}

// length returns the length of the array or object that begins at pos, but not more than
// valid text would have room for if each took least bytes.
func (d *decoder) length(least int) int {
	if d.begun == len(d.lengths) {
		return 0
	}
	n := int(d.lengths[d.begun])
	d.begun++
	return min(n, (len(d.text)-d.pos)/least+1)
}
