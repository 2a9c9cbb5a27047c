// Package words writes numbers into messages.
package words

import "strconv"

// Count returns a number with its noun, such as 1 letter or 2 letters. It is for nouns whose
// plural ends in s.
func Count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}
