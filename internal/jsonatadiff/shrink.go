package main

import (
	"context"
	"strings"
)

// shrink removes tokens from a case for as long as the two sides differ.
func (d *differ) shrink(c testCase, ours, theirs outcome) (testCase, outcome, outcome) {
	parts := tokens.FindAllString(c.expr, -1)
	for size := max(1, len(parts)/2); size >= 1; {
		smaller := false
		for i := 0; i+size <= len(parts); {
			rest := append(append([]string{}, parts[:i]...), parts[i+size:]...)
			try := c
			try.expr = strings.Join(rest, "")
			differs := false
			err := d.compare(context.Background(), []testCase{try}, func(_ testCase, o, t outcome) error {
				e, err := d.excuse(try, o, t)
				if err == nil && e == nil && !same(try, o, t) && kindOf(o, t) == kindOf(ours, theirs) {
					differs = true
					ours, theirs = o, t
				}
				return err
			})
			if err != nil {
				return c, ours, theirs
			}
			if differs {
				parts, c, smaller = rest, try, true
				continue
			}
			i++
		}
		if !smaller || size > len(parts) {
			size = min(size/2, len(parts))
		}
	}
	return c, ours, theirs
}

// kindOf keeps a difference from becoming another one while it shrinks.
func kindOf(ours, theirs outcome) string {
	return ours.code + "/" + theirs.code
}
