package httpfront

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"strings"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A page answers an approval link in HTML: GET asks, POST decides. The link is a secret,
// so the page must not be stored, send a referrer or be framed.
type page struct {
	*config.Page
	question []byte
}

// pageStyle is the whole style sheet; the Content-Security-Policy contains its hash.
const pageStyle = `:root{color-scheme:light dark}*{box-sizing:border-box}` +
	`body{margin:0;min-height:100vh;display:grid;place-items:center;font:1.125rem/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}` +
	`main{width:min(30rem,100%);padding:1.5rem;text-align:center}h1{font-size:1.5rem;line-height:1.25;margin:0 0 1.5rem;overflow-wrap:anywhere}` +
	`form{display:grid;gap:.75rem}button{font:inherit;font-weight:600;min-height:3.25rem;padding:.5rem 1rem;border-radius:.75rem;border:2px solid #1d5fc4;cursor:pointer}` +
	`button[value=approve]{background:#1d5fc4;color:#fff}button[value=reject]{background:transparent;color:inherit;border-color:GrayText}` +
	`button:focus-visible{outline:3px solid Highlight;outline-offset:3px}@media(min-width:26rem){form{grid-template-columns:1fr 1fr}}`

func newPage(p *config.Page) *page {
	return &page{p, htmlPage(p.Title, `<form method="post">`+
		`<button name="decision" value="approve">`+html.EscapeString(p.Approve)+`</button>`+
		`<button name="decision" value="reject">`+html.EscapeString(p.Reject)+`</button></form>`)}
}

// htmlPage returns a page with a heading; rest is HTML.
func htmlPage(heading, rest string) []byte {
	heading = html.EscapeString(heading)
	return []byte(`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">` +
		`<meta name="robots" content="noindex"><title>` + heading + `</title><style>` + pageStyle + `</style></head><body><main><h1>` +
		heading + `</h1>` + rest + `</main></body></html>`)
}

// policy returns a policy that lets the page show itself and send its form to its own
// origin, and nothing else.
func policy() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
}

// ask returns the page itself. It reads nothing, because mail scanners open links.
func (p *page) ask() *answer {
	a := emptyAnswer(http.StatusOK)
	a.header.Set("Content-Type", "text/html; charset=utf-8")
	a.body = p.question
	return a
}

// done confirms the decision, in the words of the button.
func (p *page) done(action bridge.Action) *answer {
	a := p.ask()
	choice := p.Approve
	if action == bridge.TaskFails {
		choice = p.Reject
	}
	a.body = htmlPage(p.Title, `<p role="status">✓ `+html.EscapeString(choice)+`</p>`)
	return a
}

// What the page says about failures, by their names; any other failure is a fault of the
// service.
var pageFailures = map[string]string{
	bridge.BadToken:    "This link is not valid.",
	bridge.Unverified:  "This link is not valid.",
	bridge.TaskGone:    "This link is no longer valid: it was already used, or it has expired.",
	bridge.TaskUnknown: "Nothing is waiting for this decision.",
	bridge.BadRequest:  "This request was not understood. Open the link again.",
	bridge.InProgress:  "This decision is being processed. Try again in a moment.",
	bridge.Unknown:     "It is not known whether the decision has arrived. Ask the sender of the link.",
	bridge.Throttled:   "Too many requests at the moment. Try again in a minute.",
	bridge.Unavailable: "The service cannot be reached at the moment. Try again in a minute.",
	bridge.Deadline:    "It is not known whether the decision has arrived. Ask the sender of the link.",
}

// finish turns a problem document into HTML, and sets the headers that protect the link.
func (p *page) finish(a *answer) {
	if a.header.Get("Content-Type") == "application/problem+json" {
		v, _ := jsonata.Decode(a.body) // our own, perhaps kept by a dedupe store
		problem, _ := v.(*jsonata.Object)
		text, ok := pageFailures[problem.Text("error")]
		if !ok {
			text = "Something went wrong. Ask the sender of the link."
		}
		a.header.Set("Content-Type", "text/html; charset=utf-8")
		a.body, a.problem = htmlPage(p.Title, `<p role="alert">`+html.EscapeString(text)+`</p>`), nil
	}
	for name, value := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": policy(), "X-Frame-Options": "DENY", "X-Robots-Tag": "noindex",
	} {
		a.header.Set(name, value)
	}
}

// decision refuses a request without a decision, because anything that is not a rejection
// would count as an approval.
func (e *endpoint) decision(r *request) *bridge.Failure {
	body, _, err := e.readBody(r)
	if err != nil {
		return bridge.AsFailure(err)
	}
	form, _ := jsonata.Force(body).(*jsonata.Object)
	switch s := strings.TrimSpace(scalar(form.Value("decision"))); s {
	case "approve", "reject":
		return nil
	}
	return bridge.NewFailure(bridge.BadRequest, "the field decision is neither approve nor reject", nil)
}
