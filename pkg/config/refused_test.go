package config_test

import (
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/config"
)

// What is surely a mistake is refused, at its place and with the cure.
func TestSureMistakes(t *testing.T) {
	t.Parallel()
	const queue, event = queueHead, "version: 1\nroutes:\n  - name: e\n    eventbridge: {source: shop}\n    start: m\n"
	http := func(pattern string) string { return strings.Replace(head, "POST /a", "'POST "+pattern+"'", 1) }
	tests := map[string]struct{ yaml, want string }{
		"filter: text":          {queue + "    filter: yes\n", "6:13: filter must be one expression in quotes"},
		"filter: true":          {event + "    filter: true\n", "6:13: filter must be one expression"},
		"filter: half":          {head + "    filter: 'not {% true %}'\n", "7:13: filter must be one expression"},
		"filter: nothing":       {queue + "    filter:\n", "filter must be one expression"},
		"unquoted in a block":   {head + "    input:\n      {% $request.body %}\n", "8:8: put the expression in quotes, as '{% … %}'"},
		"unquoted in a list":    {head + "    input: [{% $request.body %}]\n", "7:14: put the expression in quotes"},
		"unquoted with a call":  {head + "    input: {% $sum($request.body.x, [1]) %}\n", "7:12: put the expression in quotes"},
		"unquoted dedupe key":   {queue + "    dedupe:\n      key: {% $message.messageId %}\n", "7:13: put the expression in quotes"},
		"unquoted list item":    {queue + "    input:\n      - {% $message.body %}\n", "7:10: put the expression in quotes"},
		"member of message":     {queue + "    input: '{% $message.Body %}'\n", "6:25: input: $message has no Body; did you mean body?"},
		"member of context":     {head + "    input: {a: ['{% $context.now %}']}\n", "$context has no now; it has route, requestId"},
		"member of execution":   {head + "    respond: {body: '{% $execution.result %}'}\n", "$execution has no result; it has"},
		"member of failure":     {head + "    catch: [{errors: A, body: '{% $failure.Cause %}'}]\n", "$failure has no Cause; did you mean cause?"},
		"member of messages":    {queue + "    batch: true\n    input: '{% $messages.id %}'\n", "$messages has no id"},
		"quoted member":         {event + "    input: '{% $event.\"detail-typ\" %}'\n", "did you mean detail-type?"},
		"bare name in a filter": {queue + "    filter: '{% message.body.a = 1 %}'\n", "6:17: filter: the name message refers to nothing at the top level of an expression; write $message"},
		"bare member":           {queue + "    dedupe: {key: '{% messageId %}'}\n", "the name messageId refers to nothing at the top level of an expression; write $message.messageId, or \"messageId\" for text"},
		"bare name, a call":     {head + "    input: {a: '{% $uppercase(id) %}'}\n", "7:31: input.a: the name id refers to nothing at the top level of an expression; write $context or $request, or \"id\" for text"},
		"bare name, a lambda":   {head + "    input: '{% $map($request.body, function($v) { id }) %}'\n", "the name id refers to nothing"},
		"bare name of a path":   {head + "    respond: {body: '{% {\"a\": output[0].id} %}'}\n", "write $execution.output, or \"output\" for text"},
		"context at the top":    {head + "    input: '{% $.body %}'\n", "7:16: input: $ refers to nothing here: use one of the variables $context, $request"},
		"root of the input":     {head + "    input: '{% $request.body[id = $$.id] %}'\n", "input: $$ refers to nothing here"},
		":id":                   {http("/a/:id/b"), "4:11: http: :id is another router's form of a parameter: write {id}"},
		":id?":                  {http("/a/:id?"), "write {id}"},
		"<int:id>":              {http("/a/<int:id>"), "write {id}"},
		"[...all]":              {http("/a/[...all]"), "write {all...}"},
		"*":                     {http("/a/*"), "write {rest...}"},
		"{proxy+}":              {http("/a/{proxy+}"), "write {proxy...}"},
		"{*all}":                {http("/a/{*all}"), "write {all...}"},
		"{id:[0-9]+}":           {http("/a/{id:[0-9]+}"), "write {id}"},
		"patterns": {
			http("/x/{a}") + "  - {name: b, http: 'POST /{b}/y', verify: none, start: m}\n",
			"7:21: http: the pattern of route b conflicts with that of route a: POST /{b}/y and POST /x/{a} both match some paths, like \"/x/y\". But neither is more specific than the other.",
		},
		"sqs: a topic":            {strings.Replace(queue, "orders", "arn:aws:sns:eu-west-1:123456789012:t", 1), "4:10: sqs must be the name of a queue"},
		"sqs: a page":             {strings.Replace(queue, "orders", "https://sqs.eu-west-1.amazonaws.com/", 1), "sqs must be"},
		"sqs: words":              {strings.Replace(queue, "orders", "the orders", 1), "sqs must be"},
		"included data":           {event + "    includedData: some\n", "includedData must be all or metadata"},
		"output kept back":        {head + "    includedData: metadata\n    respond: {body: '{% $execution.output.id %}'}\n", "a route with includedData: metadata has no $execution.output.id"},
		"cause kept back":         {head + "    includedData: metadata\n    catch: [{errors: A, body: '{% $failure.cause %}'}]\n", "has no $failure.cause"},
		"output of a failure":     {head + "    includedData: metadata\n    catch: [{errors: A, body: '{% $failure.execution.output %}'}]\n", "has no $failure.execution.output"},
		"metadata, async":         {event + "    includedData: metadata\n    mode: async\n", "includedData: metadata is only valid with mode: sync"},
		"discard throttled":       {queue + "    catch: [{errors: [A, Expressway.Throttled], then: discard}]\n", "then: discard cannot be used for Expressway.Throttled"},
		"discard interrupted":     {event + "    catch: [{errors: Expressway.InProgress, then: discard}]\n", "then: discard cannot be used for Expressway.InProgress"},
		"headers: a list":         {head + "    respond: {headers: [a]}\n", "respond.headers must be a mapping"},
		"headers: an object":      {head + "    respond: {headers: {a: {b: c}}}\n", "the value of a must be text, a number"},
		"headers: null":           {head + "    accepted: {headers: {a: [~]}}\n    mode: async\n", "accepted.headers: the value of a must be text"},
		"headers: of a catch":     {head + "    catch: [{errors: A, headers: 5}]\n", "catch.headers must be a mapping"},
		"cookies: a number":       {head + "    respond: {cookies: 5}\n", "respond.cookies must be a list of Set-Cookie values"},
		"cookies: empty":          {head + "    respond: {cookies: ['']}\n", "respond.cookies must be a list of Set-Cookie values"},
		"base64: text":            {head + "    respond: {base64: yes please, body: x}\n", "respond.base64 must be true or false"},
		"base64: of another text": {head + "    respond: {base64: true, body: '*'}\n", "the body is not base64"},
		"base64: of a mapping":    {head + "    onDeadline: {base64: true, body: {a: 1}}\n", "the body is not base64"},
		"Latin-1":                 {head + "    input: \"\xe9\"\n", "7:13: the file is not UTF-8 here"},
		"UTF-16":                  {"\xff\xfev\x00", "1:1: the file is not UTF-8 here"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Options{Getenv: env(nil)}.Parse("x.yaml", []byte(test.yaml))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want it to contain %q", err, test.want)
			}
		})
	}
}

// A file that resembles a mistake, but is correct, loads.
func TestNoMistakes(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"names within a path":    head + "    input: {a: '{% $request.body.items[sku = \"a\"].price %}', b: '{% $request.body.l^(id).($.x & y) %}', c: '{% $request.body.l{k: v} %}', d: '{% *.id %}'}\n",
		"a byte order mark":      "\ufeff" + head,
		"percent signs":          head + "    input: {a: 50%, '% b': '% c', d: \"{%1%}\"}\n",
		"a percent in a comment": head + "    # {% is not read here %}\n",
		"a custom verb":          strings.Replace(head, "POST /a", "POST /v1/orders:cancel", 1),
		"members below":          head + "    input: '{% $request.headers.boddy & $lookup($request, \"x\") & $request.*.y & $request.authorizer.jwt.claims.sub %}'\n",
		"a variable of its own":  head + "    input: '{% ($x := {\"request\": 1}; $x.whatever) %}'\n",
		"traceparent":            head + "    input: '{% $context.traceparent %}'\n",
		"an envelope":            queueHead + "    unwrap: sns\n    input: '{% $message.envelope %}'\n",
		"base64 by a variable":   head + "    respond: {base64: '${B:-true}', body: aGk=}\n",
		"a flag by a variable":   queueHead + "    batch: ${B:-true}\n",
		"an answer in parts":     head + "    respond: {headers: {a: ['{% $execution.name %}', 1, true], b: '${X:-y}'}, cookies: '{% $execution.output %}', status: '${S:-201}'}\n",
		"discard what ended":     queueHead + "    catch: [{errors: [A, States.Timeout, Expressway.Deadline, Expressway.BadRequest], then: discard}]\n",
		"dead letters by ARN":    queueHead + "    deadLetterQueue: arn:aws:sqs:eu-west-1:123456789012:dead\n",
		"one name, two accounts": strings.Replace(queueHead, "orders", "arn:aws:sqs:eu-west-1:123456789012:orders", 1) + "    deadLetterQueue: https://sqs.eu-west-1.amazonaws.com/210987654321/orders\n",
	} {
		if _, err := (config.Options{Getenv: env(nil)}).Parse("x.yaml", []byte(source)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A queue is meant by its name, its ARN, or its URL: what !Ref, !GetAtt and the console give.
func TestTakes(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:sqs:eu-west-1:123456789012:orders"
	for queue, want := range map[string]bool{
		"orders":                               true,
		"*":                                    true,
		"o*s":                                  true,
		"orders.fifo":                          false,
		arn:                                    true,
		"arn:aws:sqs:eu-west-1:123456789012:*": true,
		"arn:aws:sqs:*orders":                  true,
		"arn:aws:sqs:us-east-1:123456789012:orders":                                false,
		"https://sqs.eu-west-1.amazonaws.com/123456789012/orders":                  true,
		"https://eu-west-1.queue.amazonaws.com/123456789012/orders":                true,
		"https://queue.amazonaws.com/123456789012/orders":                          true,
		"http://127.0.0.1:4566/123456789012/orders":                                true,
		"http://localhost:9324/queue/orders":                                       true,
		"https://vpce-0a1-b2.sqs.eu-west-1.vpce.amazonaws.com/123456789012/orders": true,
		"https://sqs.us-east-1.amazonaws.com/123456789012/orders":                  false,
		"https://sqs.eu-west-1.amazonaws.com/210987654321/orders":                  false,
		"https://sqs.eu-west-1.amazonaws.com/123456789012/orders-dead":             false,
	} {
		cfg, err := config.Options{Getenv: env(nil)}.Parse("x.yaml", []byte(strings.Replace(queueHead, "orders", "'"+queue+"'", 1)))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := cfg.Routes[0].SQS.Takes(arn); got != want {
			t.Errorf("%s takes %s: %v, want %v", queue, arn, got, want)
		}
	}
}

// One function's missing variable or secret does not stop another; its own does, and so
// does any other mistake, whosever the route is.
func TestOnly(t *testing.T) {
	t.Parallel()
	const source = "version: 1\nroutes:\n" +
		"  - name: web\n    http: POST ${BASE}/a\n    verify: {provider: github, secrets: ['${SECRET}', env:OTHER]}\n    start: ${WEB}\n    timeout: ${WAIT}\n    respond: {status: '${STATUS}', headers: {a: '${H}'}}\n" +
		"  - name: queue\n    sqs: ${QUEUE}\n    start: ${MACHINE}\n    concurrency: ${N}\n    deadLetterQueue: ${DLQ}\n    catch: [{errors: A, then: dead-letter}]\n" +
		"  - name: event\n    eventbridge: {source: '${BUS}'}\n    start: ${MACHINE}\n"
	own := map[config.Source]map[string]string{
		config.SourceHTTP:        {"SECRET": "env:S", "S": "s", "OTHER": "o", "WEB": "w", "WAIT": "9s", "STATUS": "201", "H": "h"},
		config.SourceSQS:         {"QUEUE": "q", "MACHINE": "m", "N": "5", "DLQ": "https://sqs.eu-west-1.amazonaws.com/123456789012/d"},
		config.SourceEventBridge: {"BUS": "shop", "MACHINE": "m"},
	}
	for only, variables := range own {
		t.Run(string(only), func(t *testing.T) {
			t.Parallel()
			if only == config.SourceHTTP {
				variables["BASE"] = "/base"
			}
			cfg, err := config.Options{Getenv: env(variables), Only: only, RequireSecrets: true}.Parse("x.yaml", []byte(source))
			if err != nil {
				t.Fatal(err)
			}
			if len(cfg.Routes) != 1 || cfg.Routes[0].Source() != only {
				t.Errorf("%d routes, want that of %s alone", len(cfg.Routes), only)
			}
			for missing := range variables {
				with := map[string]string{}
				for name, value := range variables {
					if name != missing {
						with[name] = value
					}
				}
				_, err := config.Options{Getenv: env(with), Only: only, RequireSecrets: true}.Parse("x.yaml", []byte(source))
				if err == nil || !strings.Contains(err.Error(), missing) {
					t.Errorf("without %s: %v, want it named", missing, err)
				}
			}
			broken := strings.ReplaceAll(source, "    start:", "    strat: 1\n    start:")
			if _, err := (config.Options{Getenv: env(variables), Only: only}).Parse("x.yaml", []byte(broken)); err == nil || strings.Count(err.Error(), "strat") != 3 {
				t.Errorf("%v, want the unknown key of all three routes", err)
			}
		})
	}
	_, err := config.Options{Getenv: env(nil), RequireSecrets: true}.Parse("x.yaml", []byte(source))
	for _, name := range []string{"SECRET", "OTHER", "WEB", "QUEUE", "MACHINE", "BUS"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("all routes: %v, want %s named", err, name)
		}
	}
}

// Signatures that can be sent again are worth a warning where nothing remembers them.
func TestWarnings(t *testing.T) {
	t.Parallel()
	for verify, want := range map[string]string{
		"none":                                 "",
		"{provider: github, secrets: [env:S]}": "5:14: the signature covers no time",
		"{provider: stripe, secrets: [env:S]}": "",
		"{provider: stripe, secrets: [env:S], tolerance: 11m}":                                                          "5:61: a recorded delivery can be replayed for 11m0s",
		"{hmac: {header: X-A}, secrets: [env:S]}":                                                                       "the signature covers no time",
		"{hmac: {header: X-A, signed: '{timestamp}{body}', timestamp: {header: X-T}}, secrets: [env:S]}":                "",
		"{hmac: {header: X-A, signed: '{timestamp}{body}', timestamp: {header: X-T, tolerance: 1h}}, secrets: [env:S]}": "can be replayed for 1h0m0s",
		"{token: {}, secrets: [env:S]}":                                                                                 "",
	} {
		for _, dedupe := range []string{"", "    dedupe: {key: '{% $request.body.id %}'}\n"} {
			cfg, err := config.Options{Getenv: env(nil)}.Parse("x.yaml", []byte(strings.Replace(head, "verify: none", "verify: "+verify, 1)+dedupe))
			if err != nil {
				t.Errorf("%s: %v", verify, err)
				continue
			}
			var got string
			for _, w := range cfg.Warnings() {
				got += w.String()
			}
			if dedupe != "" && got != "" || dedupe == "" && (want == "") != (got == "") || dedupe == "" && !strings.Contains(got, want) {
				t.Errorf("%s %s: warnings %q, want %q", verify, dedupe, got, want)
			}
		}
	}
}
