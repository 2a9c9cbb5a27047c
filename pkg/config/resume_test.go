package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
)

const bodyToken = `resume: {token: '{% $request.body.token %}'`

// What cannot resume is found when the file is read.
func TestResume(t *testing.T) {
	t.Parallel()
	const lookup = `resume: {lookup: {table: waits, key: '{% $request.body.id %}'`
	for keys, want := range map[string]string{
		"verify: none, " + bodyToken + "}": "",
		"verify: none, " + bodyToken + ", fail: '{% $request.body.bad %}', error: E, cause: '{% $request.body.why %}', heartbeat: '{% $request.body.going %}', output: {a: 1}}": "",
		"verify: {token: {}, secrets: 'env:S'}, " + lookup + "}}":                                        "",
		"verify: link, resume: {}":                                                                       "",
		"verify: link, resume: {page: {title: Sure?}}":                                                   "",
		"verify: link, resume: {lookup: {table: w, key: '{% $request.query.id %}', secretAttribute: s}}": "",
		"verify: none, resume: {}":                                                                       "resume has neither token nor lookup",
		"verify: none, " + lookup + "}}":                                                                 "resume.lookup with verify: none",
		"verify: none, resume: {token: abc}":                                                             "resume.token must be one expression",
		"verify: none, resume: {token: '{% $request.params.token %}'}":                                   "does not survive in a path",
		"verify: none, resume: {token: '{% $substringAfter($request.path, \"/r/\") %}'}":                 "does not survive in a path",
		"verify: none, resume: {token: '{% $event.id %}'}":                                               "there is no variable $event",
		"verify: none, " + bodyToken + ", output: '{% $execution.output %}'}":                            "there is no variable $execution",
		"verify: none, " + bodyToken + "}, respond: {body: '{% $execution.output %}'}":                   "there is no variable $execution",
		"verify: none, " + bodyToken + "}, start: m":                                                     "the route has start and resume",
		"verify: none, " + bodyToken + "}, input: {}":                                                    "resume and input",
		"verify: none, " + bodyToken + "}, mode: async":                                                  "resume and mode",
		"verify: none, " + bodyToken + ", error: E}":                                                     "add fail",
		"verify: none, " + bodyToken + ", fail: true}":                                                   "resume.fail must be one expression",
		"verify: none, " + bodyToken + ", page: {title: x}}":                                             "resume.page is only valid with verify: link",
		"verify: link, resume: {page: {approve: x}}":                                                     "resume.page has no title",
		"verify: link, resume: {lookup: {table: w, key: '{% $request.query.id %}'}}":                     "needs secretAttribute",
		"verify: {token: {}, secrets: 'env:S'}, " + lookup + ", secretAttribute: s}}":                    "only valid with verify: link",
		"verify: {token: {}, secrets: 'env:S'}, " + lookup + ", grace: 6m}}":                             "at most 5m",
		"verify: {token: {}, secrets: 'env:S'}, resume: {lookup: {table: w}}":                            "resume.lookup has no key",
		"verify: {token: {}, secrets: 'env:S'}, " + lookup + "}, token: '{% $request.body.t %}'}":        "token and lookup",
		"verify: link, start: m":                                                                         "verify: link is only valid on routes with resume",
	} {
		_, err := config.Options{Getenv: func(string) string { return "x" }}.Parse("t.yaml", []byte("version: 1\nroutes:\n  - {name: a, http: POST /a, "+keys+"}\n"))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", keys, err, want)
		}
	}
	for keys, want := range map[string]string{
		"sqs: q, resume: {token: '{% $message.body.token %}'}":                   "",
		"eventbridge: {source: a}, resume: {token: '{% $event.detail.token %}'}": "",
		"sqs: q, batch: true, resume: {token: '{% $messages[0].body.token %}'}":  "resume and batch",
		"sqs: q, resume: {token: '{% $message.body.token %}', page: {title: x}}": "resume.page is only valid",
	} {
		_, err := config.Options{Getenv: func(string) string { return "" }}.Parse("t.yaml", []byte("version: 1\nroutes:\n  - {name: a, "+keys+"}\n"))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", keys, err, want)
		}
	}
}

// Defaults are in the route, so that a route made of them behaves the same.
func TestResumeDefaults(t *testing.T) {
	t.Parallel()
	cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("t.yaml", []byte(`version: 1
routes:
  - {name: a, http: POST /a, verify: link, resume: {page: {title: Sure?}, lookup: {table: w, key: '{% $request.query.id %}', secretAttribute: s}}}
  - {name: q, sqs: q, resume: {token: '{% $message.body.token %}'}, catch: [{errors: [Expressway.TaskUnknown], then: discard}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	rule, page := cfg.Routes[0].Resume, cfg.Routes[0].HTTP.Page
	if rule.Fail == nil || rule.Error == nil || rule.Secret == nil || rule.Token != nil || !cfg.Routes[0].HTTP.Decides {
		t.Errorf("the link's defaults are not set: %+v", rule)
	}
	if l := rule.Lookup; l.KeyAttribute != "id" || l.TokenAttribute != "token" || l.Grace != 2*time.Second {
		t.Errorf("lookup = %+v", l)
	}
	if page.Approve != "Approve" || page.Reject != "Reject" {
		t.Errorf("page = %+v", page)
	}
	for _, test := range []struct {
		f    *bridge.Failure
		want config.Then
	}{
		{&bridge.Failure{Name: bridge.TaskGone, Settles: true}, config.ThenDiscard},
		{&bridge.Failure{Name: bridge.Unknown, Settles: true}, config.ThenDiscard},
		{&bridge.Failure{Name: bridge.Unknown}, config.ThenRetry},
		{&bridge.Failure{Name: bridge.BadToken}, config.ThenRetry},
		{&bridge.Failure{Name: bridge.TaskUnknown}, config.ThenDiscard}, // by its catch
	} {
		if got := cfg.Routes[1].Then(test.f); got != test.want {
			t.Errorf("%s (settles %v): %s, want %s", test.f.Name, test.f.Settles, got, test.want)
		}
	}
}
