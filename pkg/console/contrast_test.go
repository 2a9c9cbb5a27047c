package console

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/console/graph"
)

var colour = regexp.MustCompile(`--([\w-]+):#([0-9a-f]{3}|[0-9a-f]{6})[;}]`)

// colours reads the variables of a part of a style sheet.
func colours(t *testing.T, css string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, c := range colour.FindAllStringSubmatch(css, -1) {
		hex := c[2]
		if len(hex) == 3 {
			hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
		}
		all[c[1]] = hex
	}
	if len(all) < 10 {
		t.Fatalf("only %v", all)
	}
	return all
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// Text has the contrast of WCAG AA on every background, light and dark, and so do the signs
// and borders that carry meaning; drawings that stand alone have the same colours.
func TestContrast(t *testing.T) {
	t.Parallel()
	if got := contrast(t, "ffffff", "000000"); math.Abs(got-21) > 0.01 {
		t.Fatalf("white on black has a contrast of %v", got)
	}
	css, err := assets.ReadFile("assets/console.css")
	if err != nil {
		t.Fatal(err)
	}
	g, err := graph.Parse([]byte(`{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	const dark = "(prefers-color-scheme:dark)"
	pageLight, pageDark, ok := strings.Cut(strings.ReplaceAll(string(css), "@media (", "@media("), "@media"+dark)
	drawnLight, drawnDark, found := strings.Cut(g.SVG(graph.Overlay{}, true), "@media"+dark)
	if !ok || !found {
		t.Fatal("no dark colours")
	}
	drawnDark, _, _ = strings.Cut(drawnDark, "}}")
	pageDark, _, _ = strings.Cut(pageDark, "}}")
	for scheme, c := range map[string]struct{ page, drawn map[string]string }{
		"light": {colours(t, pageLight), colours(t, drawnLight)},
		"dark":  {colours(t, pageDark+"}"), colours(t, drawnDark+"}")},
	} {
		for name, hex := range c.drawn {
			if c.page[name] != hex {
				t.Errorf("%s: a drawing has #%s for --%s, and a page #%s", scheme, hex, name, c.page[name])
			}
		}
		check := func(least float64, on string, names ...string) {
			for _, name := range names {
				if c.page[name] == "" || c.page[on] == "" {
					t.Fatalf("%s: there is no --%s or --%s", scheme, name, on)
				}
				if got := contrast(t, c.page[name], c.page[on]); got < least {
					t.Errorf("%s: --%s on --%s has a contrast of %.2f, want %.1f", scheme, name, on, got, least)
				}
			}
		}
		const text, sign = 4.5, 3
		for _, on := range []string{"page", "card", "inner"} {
			check(text, on, "ink", "soft", "faint", "accent", "good", "bad", "warn")
			check(sign, on, "edge")
		}
		check(text, "hover", "ink", "soft", "faint", "accent", "good", "bad", "warn")
		check(text, "code", "ink", "faint")
		check(text, "accent", "on-accent")
		check(text, "ink", "page") // what is said in passing
		check(text, "bad-card", "ink", "soft", "bad", "accent")
		check(text, "good-card", "ink", "soft", "good")
		check(text, "warn-card", "ink", "soft", "warn")
		check(text, "run-card", "ink", "soft", "accent")
		for _, tone := range []string{"good", "bad", "warn", "accent", "soft"} {
			check(sign, tone, "card")
		}
	}
}
