package config_test

import (
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/config"
)

// What an answer cannot be is found when the file is read.
func TestAnswer(t *testing.T) {
	t.Parallel()
	for keys, want := range map[string]string{
		"answer: {body: ok}": "",
		"answer: {headers: {Content-Type: text/html}, body: '<p>'}":                                     "",
		"answer: {headers: {Content-Type: text/html}, body: '{% $context.route %}'}":                    "",
		"answer: {headers: {Content-Type: text/plain}, body: '{% $request.query.c %}'}":                 "",
		"answer: {headers: {content-type: 'text/html; charset=utf-8'}, body: '{% $request.query.c %}'}": "answer: a value from the request in HTML",
		"answer: {headers: {Content-Type: image/svg+xml}, body: ['{% $request.query.c %}']}":            "answer: a value from the request in HTML",
		"answer: {body: '{% $execution.output %}'}":                                                     "there is no variable $execution",
		"answer: {status: 99}":                                "answer.status must be",
		"answer: {nope: 1}":                                   "nope",
		"answer: {}, start: m":                                "the route has start and answer: keep one of them",
		"answer: {}, input: {}":                               "answer and input",
		"answer: {}, mode: async, accepted: {status: 202}":    "answer and accepted",
		"answer: {}, dedupe: {key: '{% $request.query.c %}'}": "answer and dedupe",
		"answer: {}, timeout: 3s":                             "answer and timeout",
		"answer: {}, respond: {status: 200}":                  "answer and respond",
		"filter: '{% true %}'":                                "the route has no start",
	} {
		_, err := config.Options{Getenv: func(string) string { return "" }}.Parse("t.yaml", []byte("version: 1\nroutes:\n  - {name: a, http: GET /a, verify: none, "+keys+"}\n"))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", keys, err, want)
		}
	}
	if _, err := (config.Options{Getenv: func(string) string { return "" }}).Parse("t.yaml", []byte("version: 1\nroutes:\n  - {name: a, sqs: q, answer: {}}\n")); err == nil || !strings.Contains(err.Error(), "answer is only valid on http routes") {
		t.Errorf("answer on a queue: %v", err)
	}
}
