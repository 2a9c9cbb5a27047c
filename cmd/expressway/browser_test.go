package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A browser is a Chromium that notes what a page must not do: errors, and requests to
// anywhere else.
type browser struct {
	ctx context.Context
	mu  sync.Mutex
	bad []string
}

func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("the short tests do not drive a browser")
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		needed(t, exec.Command("chromium", "--version"))
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 900), chromedp.WSURLReadTimeout(time.Minute))
	allocator, free := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		cancel()
		free()
	})
	b := &browser{ctx: ctx}
	if err := chromedp.Listen(ctx, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			b.bad = append(b.bad, "an exception: "+e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.ConsoleAPICalledTypeError {
				b.bad = append(b.bad, fmt.Sprintf("console error: %s", e.Args[0].Value))
			}
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, base) && !strings.HasPrefix(e.Request.URL, "data:") && !strings.HasPrefix(e.Request.URL, "about:") {
				b.bad = append(b.bad, "a request to "+e.Request.URL)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	b.do(t, func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, network.Enable, network.EnableParams{})
		return chromedp.Void{}, err
	})
	return b
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// text waits for an element, and returns what it says. Like click, it takes what is there
// at that moment.
func (b *browser) text(t *testing.T, selector string) string {
	t.Helper()
	b.eventually(t, "!!document.querySelector(`"+selector+"`)?.innerText")
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.querySelector(`"+selector+"`).innerText"))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// eventually waits until an expression of the page is true.
func (b *browser) eventually(t *testing.T, expression string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(30 * time.Millisecond) {
		if ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still false after a minute: %s", expression)
		}
	}
}

// click clicks what a selector finds at that moment: the page's live part may be replaced
// between looking for a place on the screen and clicking there.
func click(selector string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		for {
			done, err := chromedp.Evaluate[bool]("(n => !!n && document.body.classList.contains('scripted') && (n.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true})), true))(document.querySelector(`"+selector+"`))")(ctx, t)
			if done || ctx.Err() != nil {
				return chromedp.Void{}, err
			}
			time.Sleep(30 * time.Millisecond)
		}
	}
}

// prefers sets a media feature.
func prefers(name, value string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: name, Value: value}},
		})
		return chromedp.Void{}, err
	}
}

// The walk of a person who looks for what failed, mends it, and does it again; by mouse
// and by keyboard, wide and narrow, with nothing but this machine.
func TestConsoleInBrowser(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, part := range []string{"statemachines", "events", "expressway.yaml", "env.json", "mocks.json"} {
		if out, err := exec.Command("cp", "-r", filepath.Join(root, part), dir).CombinedOutput(); err != nil {
			t.Fatalf("copy the example: %v %s", err, out)
		}
	}
	t.Chdir(dir)
	if err := os.WriteFile("statemachines/wide.asl.json", []byte(wide()), 0o600); err != nil {
		t.Fatal(err)
	}
	base, stop := startConsole(t, "--events", "events")
	defer stop()
	b := newBrowser(t, base)
	console := base + "/_expressway/"

	// Two clicks from the delivery to the state that failed, its input and its cause.
	b.do(t, chromedp.Navigate(console))
	b.eventually(t, `document.body.classList.contains('scripted') && (r => !!r && (r.click(), true))([...document.querySelectorAll('a.row')].find(r => r.textContent.includes('OrderRejected in Reject') && r.textContent.includes('422')))`)
	b.do(t, click(`.failure .go`))
	if got := b.text(t, "#state"); !strings.Contains(got, "Reject") || !strings.Contains(got, "The order has no items.") || !strings.Contains(got, `"items": []`) {
		t.Errorf("the state says %q, want the rejected order", got)
	}
	b.eventually(t, `document.querySelector('.drawing [data-state=Reject]').classList.contains('chosen')`)
	rejected, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href`))
	if err != nil {
		t.Fatal(err)
	}
	// Another state, by the graph.
	b.do(t, click(`.drawing [data-state=Check]`))
	b.eventually(t, `document.querySelector('#state h2').textContent.startsWith('Check')`)
	b.do(t, click(`.drawing [data-state=Pick]`))
	b.eventually(t, `document.querySelector('#state').textContent.includes('did not reach')`)

	// A state on its own: chosen in the graph of the state machine, with an input.
	b.do(t, chromedp.Navigate(console+"machines/orders"), click(`.drawing [data-state=Reject]`), click(`form[data-show] button`))
	b.eventually(t, `document.querySelector('form[data-show] select').value === 'Reject' && document.querySelector('#tested').textContent.includes('OrderRejected')`)
	// The sample of a provider, signed.
	b.do(t, chromedp.Navigate(console+"send"), click(`form[data-post$="/routes/github/send"] button`))
	b.eventually(t, `document.body.dataset.page === 'delivery' && document.querySelector('.sub').textContent.includes('started · 200')`)
	// A form has what the workflow took before, and sends it whatever dedupe remembers.
	for _, name := range []string{"orders-http", "refunds"} {
		b.do(t, chromedp.Navigate(console+"send"), click(`form[data-post$="/routes/`+name+`/send"] button`))
		b.eventually(t, `document.body.dataset.page === 'delivery' && /started · 20[0-2]/.test(document.querySelector('.sub').textContent) && document.querySelector('.sub').textContent.includes('console')`)
	}
	for title, from := range map[string]string{"A message for orders-queue": "h2", "An event for payments": "h2 a"} {
		b.do(t, chromedp.Navigate(console+"send"))
		b.eventually(t, `document.body.classList.contains('scripted') && (c => !!c && (c.querySelector('button').click(), true))([...document.querySelectorAll('section')].find(s => s.querySelector('h2').textContent.startsWith('`+title+`') && s.querySelector('`+from+`')))`)
		b.eventually(t, `document.body.dataset.page === 'delivery' && document.querySelector('.sub').textContent.includes('console') && document.querySelector('#live').textContent.includes('Execution succeeded')`)
	}
	// One item of a Map.
	b.do(t, chromedp.Navigate(console+"executions?machine=orders&status=SUCCEEDED"), click(`.row`))
	b.eventually(t, `document.body.classList.contains('scripted') && (s => !!s && (s.value = s.options[1].value, s.dispatchEvent(new Event('change', {bubbles: true})), true))(document.querySelector('select[name=item]'))`)
	b.eventually(t, `location.search.includes('item=') && document.querySelector('select[name=item] option[selected]')?.textContent.startsWith('item 0')`)
	b.do(t, chromedp.Navigate(rejected))
	b.eventually(t, `!!document.querySelector('#state')`)

	// Mend the definition, and do it again: green, without a restart.
	definition, err := os.ReadFile("statemachines/orders.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.Replace(string(definition), `"Fail"`, `"Nap"`, 1)
	if err := os.WriteFile("statemachines/orders.asl.json", []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	b.eventually(t, `document.querySelector('#problems').textContent.includes('orders.asl.json:')`)
	const mended = `{"StartAt":"Accept","States":{"Accept":{"Type":"Pass","Result":{"orderId":"mended","items":[]},"End":true}}}`
	if err := os.WriteFile("statemachines/orders.asl.json", []byte(mended), 0o600); err != nil {
		t.Fatal(err)
	}
	b.eventually(t, `document.querySelector('#problems').textContent === ''`)
	b.do(t, click(`[data-replay]`))
	b.eventually(t, `document.body.dataset.page === 'delivery' && document.querySelector('.sub')?.textContent.includes('replay of')`)
	if got := b.text(t, ".sub"); !strings.Contains(got, "201") {
		t.Errorf("the replay ended with %q", got)
	}

	// A fixture has a name, which is asked for in the page; the keyboard suffices.
	const named = `document.querySelector('dialog[open]')?.contains(document.activeElement) && document.activeElement.name === 'name'`
	b.do(t, click(`[data-dialog]`))
	b.eventually(t, named)
	b.do(t, chromedp.KeyEvent(kb.Escape))
	b.eventually(t, `!document.querySelector('dialog[open]') && document.body.dataset.page === 'delivery'`)
	b.do(t, click(`[data-dialog]`))
	b.eventually(t, named)
	b.do(t, chromedp.KeyEvent("Mended"), chromedp.KeyEvent(kb.Enter))
	b.eventually(t, named+` && !document.activeElement.checkValidity()`)
	b.eventually(t, `(document.activeElement.value = '', true)`)
	b.do(t, chromedp.KeyEvent("mended-r"), chromedp.KeyEvent(kb.Enter))
	b.eventually(t, `!document.querySelector('dialog[open]') && document.querySelector('.toast').textContent.includes('webhook-mended-r.json')`)
	if _, err := os.Stat("events/webhook-mended-r.json"); err != nil {
		t.Error(err)
	}

	// A list follows what happens; j, k, enter, / and r work.
	b.do(t, chromedp.Navigate(console))
	b.eventually(t, `document.querySelector('[data-live]').classList.contains('on')`)
	if r, err := http.Post(base+"/nowhere", "text/plain", strings.NewReader("x")); err == nil {
		_ = r.Body.Close()
	}
	b.eventually(t, `document.querySelector('.row .title').textContent === 'POST /nowhere'`)
	b.do(t, chromedp.KeyEvent("j"), chromedp.KeyEvent("j"))
	b.eventually(t, `[...document.querySelectorAll('[data-row]')].indexOf(document.activeElement) === 1`)
	b.do(t, chromedp.KeyEvent("r"))
	b.eventually(t, `document.querySelector('.row .title').textContent === 'POST /orders' && document.querySelector('.toast').textContent === 'Replayed'`)
	b.do(t, chromedp.KeyEvent("/"))
	b.eventually(t, `document.activeElement.name === 'q'`)
	b.do(t, chromedp.KeyEvent("nowhere"), chromedp.KeyEvent(kb.Enter))
	b.eventually(t, `location.search.includes('nowhere') && document.querySelectorAll('.row').length === 1 && document.querySelector('[data-live]').classList.contains('on')`)
	b.do(t, chromedp.KeyEvent("j"))
	b.eventually(t, `document.activeElement.matches('.row')`)
	b.do(t, chromedp.KeyEvent(kb.Enter))
	b.eventually(t, `document.body.dataset.page === 'delivery' && document.body.textContent.includes('Expressway.NoRoute')`)

	// What waits for a token is kept, resumed and failed by buttons.
	b.do(t, chromedp.Navigate(console+"executions?machine=approval"), click(`.row`))
	b.eventually(t, `document.querySelector('.waiting h2')?.textContent.includes('Ask')`)
	b.do(t, click(`.waiting button[value=heartbeat]`), click(`.waiting button[value=success]`))
	b.eventually(t, `document.querySelector('.waiting h2')?.textContent.includes('Pay')`)
	b.eventually(t, `(f => !!f && (f.focus(), document.activeElement === f))(document.querySelector('.waiting input[name=error]'))`)
	b.do(t, chromedp.KeyEvent("Refused"))
	b.eventually(t, `document.querySelector('.waiting input[name=error]').value === 'Refused'`)
	b.do(t, click(`.waiting button[value=failure]`))
	b.eventually(t, `!document.querySelector('.waiting') && document.querySelector('.failure').textContent.includes('Refused')`)

	// Lists and graphs have roles and names; the focus is seen; nothing moves where that is
	// asked for, and the page is read without its module.
	b.do(t, chromedp.Navigate(rejected))
	b.eventually(t, `!!document.querySelector('svg.graph[role=group][aria-label]') && !!document.querySelector('.node[role=button][tabindex="0"][aria-label="Fail state Reject, failed"]')
		&& !!document.querySelector('ol.timeline[aria-label]') && !!document.querySelector('nav[aria-label] [aria-current=page]') && !!document.querySelector('[role=status]')`)
	b.eventually(t, `document.body.classList.contains('scripted') && (n => (n.focus(), document.activeElement === n))(document.querySelector('.drawing [data-state=Check]'))`)
	b.do(t, chromedp.KeyEvent(kb.Enter))
	b.eventually(t, `location.search.includes('state=Check')`)
	// The page was fetched again, and the focus is where it was.
	b.eventually(t, `document.querySelector('.drawing .chosen') !== null && document.getElementById('state') !== null && document.activeElement.dataset.state === 'Check'`)
	b.do(t, chromedp.KeyEvent("j"))
	b.eventually(t, `document.activeElement.matches('.timeline a:focus-visible') && getComputedStyle(document.activeElement).outlineStyle === 'solid'`)
	b.do(t, prefers("prefers-reduced-motion", "reduce"))
	b.eventually(t, `document.getAnimations().length === 0`)
	b.do(t, prefers("prefers-reduced-motion", "no-preference"))

	b.graphsAreMoved(t, console)

	// Every page fits a telephone, and is whole; each graph of a state machine is drawn.
	b.do(t, chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateScale(2)))
	for _, path := range []string{"", "executions", "executions/4", "machines", "machines/orders", "machines/payments", "machines/github", "machines/approval", "machines/wide", "send", "deliveries/3", "deliveries/99999"} {
		b.do(t, chromedp.Navigate(console+path))
		b.eventually(t, `document.documentElement.scrollWidth <= 390 && !!document.querySelector('main h1, main h2')`)
	}
	// A graph that is wider moves in its frame, and says so; its text is not too small, and
	// it begins where the state machine does.
	b.do(t, chromedp.Navigate(console+"machines/wide"))
	b.eventually(t, `(d => d.scrollWidth > d.clientWidth && getComputedStyle(document.querySelector('.hint')).visibility === 'visible'
		&& 11 * d.querySelector('svg').getBoundingClientRect().width / d.querySelector('svg').viewBox.baseVal.width >= 9
		&& (s => s.left >= 0 && s.right <= 390)(d.querySelector('[data-state=Kind]').getBoundingClientRect()))(document.querySelector('.drawing'))`)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, what := range b.bad {
		t.Error(what)
	}
}

// wide is a state machine with more branches than fit side by side.
func wide() string {
	var rules, states, branches []string
	for i := range 9 {
		rules = append(rules, fmt.Sprintf(`{"Variable":"$.kind","StringEquals":"kind-%d","Next":"Take the %dth"}`, i, i))
		states = append(states, fmt.Sprintf(`"Take the %dth":{"Type":"Pass","Next":"All"}`, i))
		branches = append(branches, fmt.Sprintf(`{"StartAt":"Branch %d","States":{"Branch %d":{"Type":"Pass","End":true}}}`, i, i))
	}
	return `{"StartAt":"Kind","States":{"Kind":{"Type":"Choice","Default":"All","Choices":[` + strings.Join(rules, ",") + `]},` +
		strings.Join(states, ",") + `,"All":{"Type":"Parallel","End":true,"Branches":[` + strings.Join(branches, ",") + `]}}}`
}

// graphsAreMoved zooms and moves a graph, by keys and by mouse. In each graph, text is in
// the box that is drawn for it.
func (b *browser) graphsAreMoved(t *testing.T, console string) {
	t.Helper()
	for _, name := range []string{"approval", "github", "orders", "payments", "wide"} {
		b.do(t, chromedp.Navigate(console+"machines/"+name))
		b.eventually(t, `document.querySelectorAll('.graph .node').length > 0 && [...document.querySelectorAll('.graph .label, .graph .node')].every(g => (box => [...g.querySelectorAll(':scope > text')].every(text =>
			(b => b.x >= box.x && b.x + b.width <= box.x + box.width)(text.getBBox())))(g.querySelector('rect').getBBox()))`)
	}
	width := `document.querySelector('.drawing svg').getBoundingClientRect().width`
	before, err := chromedp.Run(b.ctx, chromedp.Evaluate[float64](width))
	if err != nil {
		t.Fatal(err)
	}
	b.eventually(t, `document.body.classList.contains('scripted') && (d => (d.focus(), document.activeElement === d))(document.querySelector('.drawing'))`)
	b.do(t, chromedp.KeyEvent("+"), chromedp.KeyEvent("+"), chromedp.KeyEvent("+"))
	b.eventually(t, fmt.Sprintf(`%s > 1.8 * %f && document.querySelector('.drawing').scrollWidth > document.querySelector('.drawing').clientWidth`, width, before))
	at, err := chromedp.Run(b.ctx, chromedp.Evaluate[float64](`document.querySelector('.drawing').scrollLeft`))
	if err != nil {
		t.Fatal(err)
	}
	b.eventually(t, `(d => { const r = d.getBoundingClientRect(), send = (type, x) => d.dispatchEvent(new PointerEvent(type, {bubbles: true, pointerType: 'mouse', button: 0, clientX: x, clientY: r.top + 9}))
		send('pointerdown', r.left + 200); send('pointermove', r.left + 150); send('pointerup', r.left + 150); return true })(document.querySelector('.drawing'))`)
	b.eventually(t, fmt.Sprintf(`Math.abs(document.querySelector('.drawing').scrollLeft - %f - 50) < 2`, at))
	b.do(t, chromedp.KeyEvent("0"))
	b.eventually(t, `(d => d.scrollWidth <= d.clientWidth && d.scrollHeight <= d.clientHeight)(document.querySelector('.drawing'))`)
}

// Screenshots of the samples, for the documentation: make screenshots.
func TestScreenshots(t *testing.T) {
	into := os.Getenv("EXPRESSWAY_SCREENSHOTS")
	if into == "" {
		t.Skip("EXPRESSWAY_SCREENSHOTS does not name a folder")
	}
	t.Chdir(filepath.Join("..", ".."))
	base, stop := startConsole(t, "--events", "events")
	defer stop()
	b := newBrowser(t, base)
	for name, shot := range map[string]struct {
		path, scheme  string
		width, height int64
	}{
		"deliveries": {"", "light", 1280, 640},
		"execution":  {"executions/4?state=Book", "light", 1280, 900},
		"dark":       {"executions/15", "dark", 1280, 900},
	} {
		b.do(t, chromedp.EmulateViewport(shot.width, shot.height), prefers("prefers-color-scheme", shot.scheme), chromedp.Navigate(base+"/_expressway/"+shot.path))
		b.eventually(t, `document.querySelector('[data-live]').classList.contains('on')`)
		png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(into, "console-"+name+".png"), png, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
