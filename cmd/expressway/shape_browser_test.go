package main

import (
	"context"
	"os"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// fingers puts fingers side by side on the page, or moves them; without any x, it lifts them.
func fingers(kind input.DispatchTouchEventType, y float64, x ...float64) chromedp.Action[chromedp.Void] {
	points := make([]*input.TouchPoint, 0, len(x))
	for i, x := range x {
		id := float64(i)
		points = append(points, &input.TouchPoint{X: x, Y: y, ID: &id})
	}
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: points})
		return chromedp.Void{}, err
	}
}

// Beside a short graph, a long result leaves no void: the states are beside the graph, and
// input, output and history are below both. On a telephone, two fingers zoom the graph and
// not the page, and one scrolls.
func TestShortGraphInBrowser(t *testing.T) {
	t.Chdir(t.TempDir())
	const long = `{"QueryLanguage":"JSONata","StartAt":"Make","States":{"Make":{"Type":"Pass","Output":"{% {'rows': [1..200]} %}","Next":"Keep"},"Keep":{"Type":"Pass","End":true}}}`
	if err := os.Mkdir("statemachines", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("statemachines/long.asl.json", []byte(long), 0o600); err != nil {
		t.Fatal(err)
	}
	base, stop := startConsole(t)
	defer stop()
	b := newBrowser(t, base)
	b.do(t, chromedp.Navigate(base+"/_expressway/machines/long"), click(`form[data-post$="/run"] button`))
	const boxes = `(([graph, states, input, output, past]) => `
	const of = `)(['.graphic', '.time', '.side .card', '.side .card + .card', '.split + .card'].map(s => document.querySelector(s).getBoundingClientRect()))`
	b.eventually(t, `document.body.dataset.page === 'execution' && document.querySelector('.sub').textContent.includes('succeeded') && `+
		boxes+`graph.top === states.top && graph.right < states.left && input.top > graph.bottom && input.top - graph.bottom < 30 && output.top === input.top && output.bottom === input.bottom && past.top > output.bottom && past.top - output.bottom < 30`+of)
	// The history says what each event is about; its JSON is one click away.
	b.eventually(t, `(d => (d.open = true, [...d.querySelectorAll('.events summary')].some(s => s.textContent.includes('PassStateExited') && s.textContent.includes('Make'))))(document.querySelector('.split + .card details'))`)

	b.do(t, chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch), chromedp.Navigate(base+"/_expressway/machines/long"))
	const width = `document.querySelector('.drawing svg').getBoundingClientRect().width`
	b.eventually(t, `document.body.classList.contains('scripted') && (window.before = `+width+`) > 50 && getComputedStyle(document.querySelector('.drawing')).touchAction === 'pan-x pan-y'`)
	y, err := chromedp.Run(b.ctx, chromedp.Evaluate[float64](`(r => r.top + r.height / 2)(document.querySelector('.drawing').getBoundingClientRect())`))
	if err != nil {
		t.Fatal(err)
	}
	b.do(t, fingers(input.DispatchTouchEventTypeTouchStart, y, 150, 230), fingers(input.DispatchTouchEventTypeTouchMove, y, 130, 250),
		fingers(input.DispatchTouchEventTypeTouchMove, y, 70, 310), fingers(input.DispatchTouchEventTypeTouchEnd, y))
	b.eventually(t, `Math.abs(`+width+` / window.before - 3) < 0.1 && visualViewport.scale === 1`)
	// A second pinch begins where the first ended, however far apart its fingers are.
	b.do(t, fingers(input.DispatchTouchEventTypeTouchStart, y, 50, 350), fingers(input.DispatchTouchEventTypeTouchMove, y, 125, 275), fingers(input.DispatchTouchEventTypeTouchEnd, y))
	b.eventually(t, `Math.abs(`+width+` / window.before - 1.5) < 0.1 && visualViewport.scale === 1`)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, what := range b.bad {
		t.Error(what)
	}
}
