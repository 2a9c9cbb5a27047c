package words

import "testing"

func TestCount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0 letters", 1: "1 letter", 2: "2 letters"} {
		if got := Count(n, "letter"); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}
