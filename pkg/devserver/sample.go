package devserver

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/internal/samples"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/statesapi"
	"github.com/expressway-dev/expressway/pkg/verify"
)

const form = "application/x-www-form-urlencoded"

// Sample implements [console.Engine].
func (e *engine) Sample(route string) (console.Sample, bool) {
	r := routeNamed(e.local.current.Load().routes, route)
	if r == nil {
		return console.Sample{}, false
	}
	if r.HTTP == nil {
		text, _, ok := e.body(r.Name)
		return console.Sample{Body: text, ContentType: "application/json"}, ok
	}
	return e.sampleOf(r), true
}

// Attempt returns a command line that sends something to an HTTP route, and can be pasted
// as it is: a file, or else the provider's sample, or else an empty object. Options are
// added to `expressway sign`.
func Attempt(self string, r *config.Route, file, options string) string {
	before, body := "", " --sample"
	if file != "" {
		body = " -d " + file
	} else if _, ok := samples.Of(r.HTTP.Verify.Provider); !ok {
		before, body = "echo '{}' | ", " -d -"
	}
	for _, name := range parameter.FindAllStringSubmatch(r.HTTP.Path(), -1) {
		if name[1] != "$" {
			body += " --param " + strings.TrimSuffix(name[1], "...") + "=sample"
		}
	}
	return before + self + " sign " + r.Name + body + options + " | sh"
}

func sampleOf(r *config.Route) console.Sample {
	preset, _ := r.HTTP.Verify.Preset()
	s := console.Sample{
		Method: cmp.Or(r.HTTP.Method(), http.MethodPost), Path: samplePath(r.HTTP.Path()), ContentType: "application/json",
		EventHeader: preset.EventName.Header,
	}
	known, ok := samples.Of(r.HTTP.Verify.Provider)
	if s.EventHeader != "" {
		s.Event = cmp.Or(known.Event, "sample")
	}
	if ok {
		s.Body, s.ContentType = indent(known.Body), known.ContentType
		return s
	}
	// A preset that does not take JSON takes forms.
	if types := preset.ContentTypes; len(types) > 0 && !slices.ContainsFunc(types, func(t string) bool { return strings.Contains(t, "json") }) {
		s.ContentType = types[0]
	}
	if s.ContentType == form {
		s.Body = sampleForm(preset)
	} else {
		s.Body = sampleJSON(preset)
	}
	return s
}

func indent(text string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(text), "", "  ") != nil {
		return text
	}
	return out.String()
}

// sampleJSON returns a body with the members that the preset reads.
func sampleJSON(p verify.Preset) string {
	root := map[string]any{}
	set := func(path, value string) {
		if path == "" {
			return
		}
		o, names := root, strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			inner, ok := o[name].(map[string]any)
			if !ok {
				inner = map[string]any{}
				o[name] = inner
			}
			o = inner
		}
		o[names[len(names)-1]] = value
	}
	set(cmp.Or(p.DeliveryID.Body, "id"), "sample-1")
	set(cmp.Or(p.EventName.Body, "type"), "sample")
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return "{}"
	}
	return string(text)
}

func sampleForm(p verify.Preset) string {
	return url.Values{cmp.Or(p.DeliveryID.Form, "id"): {"sample-1"}, cmp.Or(p.EventName.Form, "type"): {"sample"}}.Encode()
}

var parameter = regexp.MustCompile(`\{([^{}]*)\}`)

// samplePath gives each parameter of a pattern its own name.
func samplePath(pattern string) string {
	_, path, _ := strings.Cut(pattern, "/")
	return "/" + parameter.ReplaceAllStringFunc(path, func(p string) string {
		name := strings.TrimSuffix(p[1:len(p)-1], "...")
		if name == "$" {
			return ""
		}
		return url.PathEscape(name)
	})
}

// SendSample implements [console.Engine].
func (e *engine) SendSample(ctx context.Context, route string, body *string, event, origin string) (unverified bool, err error) {
	r := routeNamed(e.local.current.Load().routes, route)
	if r == nil || r.HTTP == nil {
		return false, fmt.Errorf("there is no http route %q", route)
	}
	s := e.sampleOf(r)
	if s.Cannot != "" && body == nil {
		return false, errors.New(s.Cannot)
	}
	text := s.Body
	if body != nil {
		text = *body
	}
	host, _, _ := strings.Cut(r.HTTP.Path(), "/")
	request, err := http.NewRequestWithContext(ctx, s.Method, "http://"+cmp.Or(host, "localhost")+s.Path, nil)
	if err != nil {
		return false, err
	}
	request.RemoteAddr = "127.0.0.1:0"
	request.Header.Set("User-Agent", "expressway-console")
	if text != "" {
		request.Header.Set("Content-Type", s.ContentType)
		if s.ContentType == "application/json" && !json.Valid([]byte(text)) && strings.Contains(text, "=") {
			request.Header.Set("Content-Type", form)
		}
	}
	if s.EventHeader != "" {
		request.Header.Set(s.EventHeader, cmp.Or(event, s.Event))
	}
	if id := r.HTTP.DeliveryID; id.Header != "" && id.Unsigned {
		request.Header.Set(id.Header, rand.Text())
	}
	u := functionURL{region: e.local.Region, now: time.Now}
	payload, err := json.Marshal(u.event(request, []byte(text), rand.Text()))
	if err != nil {
		return false, err
	}
	return e.Resend(ctx, route, payload, []byte(text), origin)
}

// TestState implements [console.Engine].
func (e *engine) TestState(ctx context.Context, machine string, t console.StateTest) (any, error) {
	return e.local.States.Try(ctx, e.local.States.Resolve(machine), statesapi.Trial{State: t.State, Input: t.Input, Variables: t.Variables, Result: t.Mock})
}
