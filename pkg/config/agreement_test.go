package config_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// The schema and the reader judge drawn documents alike, so that what an editor marks is
// what stops a function, and nothing else is. What no schema can say is left out of the
// draw: the syntax of expressions and what they refer to, what is wrong between routes,
// bounds of durations, the form of references, URLs, host names and name patterns, and
// what a variable means for other keys.
func TestSchemaAndReaderJudgeAlike(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile("expressway.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	taken, drawn := 0, 0
	defer func() {
		if drawn < 500 {
			return // a short run is too small a sample
		}
		if !t.Failed() && (taken < drawn/25 || drawn-taken < drawn/25) {
			t.Errorf("%d of %d documents are accepted, want many of both kinds", taken, drawn)
		}
	}()
	for range 5 {
		rapid.Check(t, func(t *rapid.T) {
			doc := document().Draw(t, "document")
			var text bytes.Buffer
			e := json.NewEncoder(&text)
			e.SetEscapeHTML(false)
			if err := e.Encode(doc); err != nil {
				t.Fatal(err)
			}
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			_, readerErr := config.Options{Getenv: env(nil)}.Parse("d.yaml", text.Bytes())
			schemaErr := schema.Validate(value)
			if (readerErr == nil) != (schemaErr == nil) {
				t.Fatalf("%s\nreader: %v\nschema: %v", text.Bytes(), readerErr, schemaErr)
			}
			drawn++
			if readerErr == nil {
				taken++
			}
		})
	}
}

// Every key of the schema is drawn: of any other, the schema and the reader could judge
// differently.
func TestEveryKeyIsDrawn(t *testing.T) {
	t.Parallel()
	drawn := map[string]int{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case object:
			for key, member := range v {
				drawn[path+key]++
				walk(path+key+".", member)
			}
		case list:
			for _, item := range v {
				walk(path, item)
			}
		}
	}
	for seed := range 6000 {
		routes, _ := document().Example(seed).(object)["routes"].(list)
		walk("", routes)
	}
	for path, keys := range schemaKeys(t) {
		for _, key := range keys {
			full := strings.TrimPrefix(path+"."+key, ".")
			full = strings.TrimPrefix(full, "route.")
			if path != "" && drawn[full] == 0 {
				t.Errorf("no drawn document has %s: add it to document()", full)
			}
		}
	}
}

type (
	object = map[string]any
	list   = []any
	draw   = *rapid.Generator[any]
)

// of draws one of the values; a value that is a generator draws from it.
func of(values ...any) draw {
	return rapid.Custom(func(t *rapid.T) any {
		v := rapid.SampledFrom(values).Draw(t, "value")
		if g, ok := v.(draw); ok {
			return g.Draw(t, "nested")
		}
		return v
	})
}

// with draws an object: always the keys of need, each of may now and then.
func with(need, may map[string]draw) draw {
	return rapid.Custom(func(t *rapid.T) any {
		out := object{}
		for _, part := range []map[string]draw{need, may} {
			for _, name := range sortedKeys(part) {
				if _, always := need[name]; always || rapid.IntRange(0, seldom(name)).Draw(t, name+"?") == 0 {
					out[name] = part[name].Draw(t, name)
				}
			}
		}
		return out
	})
}

func seldom(name string) int {
	if name == "other" { // a key that there is not
		return 99
	}
	return 4
}

// mostly draws the first of the values as often as all others, and now and then what is
// of another kind.
func mostly(good ...any) draw {
	return rapid.Custom(func(t *rapid.T) any {
		if rapid.IntRange(0, 49).Draw(t, "odd") == 0 {
			return of(nil, true, false, 0, -1, 7, 2.5, "", "word", "{% $context.route %}", "{% 1", "${V:-x}", "${1}", "a\tb",
				list{}, list{"a"}, list{nil}, object{}, object{"a": "b"}).Draw(t, "value")
		}
		if rapid.IntRange(0, 2).Draw(t, "usual") > 0 {
			return of(good[0]).Draw(t, "value")
		}
		return of(good...).Draw(t, "value")
	})
}

const anExpression = "{% $context.requestId %}"

func durations() draw {
	return mostly("9s", "1m30s", "1.5m", "${D:-20s}", "0s", "0m0s", "5", "-3s", "1d", "soon")
}

func texts(good ...any) draw {
	return rapid.Custom(func(t *rapid.T) any {
		if rapid.Bool().Draw(t, "list") {
			return rapid.SliceOfN(mostly(good...), 0, 3).Draw(t, "texts")
		}
		return mostly(good...).Draw(t, "text")
	})
}

func template() draw {
	return mostly("text", anExpression, "a {% b %}", "${V:-v}", "${}", 1, 9007199254740993, nil, true,
		list{1, anExpression}, list{"x {% y"}, object{"a": object{"b": anExpression}}, object{"a": "${A b}"}, object{"% off": "50%"})
}

func answer() draw {
	return with(nil, map[string]draw{
		"status":  mostly(200, 404, "201", "${S:-202}", anExpression, 99, 600, "no", "20"),
		"headers": mostly(anExpression, object{"A": "b", "C-D": list{1, true, anExpression}}, object{"A": object{}}, object{"Content-Length": 5}, object{"a b": "c"}, object{"A": nil}, object{"A": "x\ny"}, list{"a"}, "a"),
		"cookies": mostly(anExpression, "a=b", list{"a=b; Secure", anExpression}, list{""}, list{1}, 5, object{"a": "b"}),
		"body":    template(),
		"base64":  mostly(true, false, "true", "${B:-false}", anExpression, 5, list{}, "yes"),
		"then":    mostly("retry"),
	})
}

func verifyBlock() draw {
	provider := any("nobody")
	known := list{}
	for _, name := range verify.Providers() {
		if preset, _ := verify.Lookup(name); !preset.RemembersIDs { // which bounds a duration of dedupe
			known = append(known, name)
		}
	}
	known = append(known, provider)
	secrets := mostly("env:A", list{"env:A", "ssm:/b"}, list{})
	need := func(key string, g draw) draw {
		return with(map[string]draw{key: g, "secrets": secrets}, map[string]draw{
			"audience": of("a"), "email": of("a@b.example"), "username": of("u"), "publicKey": of("k"), "contentTypes": texts("application/json", "json"),
			"url": mostly("https://hooks.example.com"), "tolerance": durations(), "topics": texts("any"), "versions": of(list{}),
			"handshake": mostly("echo", object{"store": "ssm:/a"}, object{"store": "ssm:/a", "other": 1}), "provider": mostly(known...), "basic": mostly(object{"username": "u"}), "other": mostly("x"),
		})
	}
	hmac := with(map[string]draw{"header": mostly("X-A", "a b", "")}, map[string]draw{
		"algorithm": mostly("sha1", "sha512", "${A:-sha256}", "md4"), "encoding": mostly("hex", "base64url", "rot13"),
		"keyEncoding": mostly("text", "whsec", "utf8"), "prefix": mostly("v1="), "other": mostly("x"),
	})
	jwt := with(map[string]draw{"issuer": mostly("i", ""), "audience": mostly("a"), "jwks": mostly("https://i.example/k")}, map[string]draw{
		"claims": mostly(object{"a": "b", "c": 1, "d": true}, object{"iss": "x"}, object{"a": list{}}),
	})
	return rapid.Custom(func(t *rapid.T) any {
		return of("none", "link", need("provider", mostly(known...)), need("hmac", hmac),
			need("basic", mostly(object{"username": "u"}, object{}, object{"username": "a:b"})),
			need("token", mostly(object{}, object{"header": "X-Key"}, object{"header": "X Key"}, "env:T")),
			need("token", of(object{"query": "t"}, object{"body": "/a/t"})),
			with(map[string]draw{"hmac": of(wholeHMACs...), "secrets": secrets}, nil),
			with(map[string]draw{"jwt": of(wholeJWTs...)}, nil),
			need("signature", of(wholeSignatures...)), with(map[string]draw{"signature": of(publishedKeys...)}, nil),
			with(map[string]draw{"jwt": jwt}, map[string]draw{"secrets": secrets}),
			with(map[string]draw{"mtls": mostly(object{"subject": "CN=a"}, object{"subject": "CN=a", "issuer": "CN=b"}, object{})}, nil),
		).Draw(t, "verify")
	})
}

// Blocks of verify that have every key. They are drawn as they are, because only the reader
// knows the rules between their keys.
var (
	wholeHMACs = list{
		object{"header": "X-A", "format": "kv", "signatureKey": "v1", "timestampKey": "t", "separator": ";", "signed": "{timestamp}.{body}"},
		object{"header": "X-A", "prefix": "v1=", "prefixOptional": true, "hash": "plain", "signed": "{timestamp}{secret}{body}", "timestamp": object{"header": "X-T", "format": "unix_ms", "tolerance": "2m"}},
		object{"signature": object{"form": "sig"}},
	}
	wholeJWTs = list{
		object{"issuer": "i", "audience": "a", "jwks": "https://i.example/k", "algorithms": "ES256", "header": "X-Token", "scheme": "Token", "expiry": "required", "maxAge": "5m"},
		object{"issuer": "i", "audience": "a", "jwks": "https://i.example/k", "cookie": "t", "expiry": "optional", "body": object{"claim": "c", "algorithm": "sha512", "encoding": "base64"}},
		object{"issuer": "i", "audience": "a", "jwks": "https://i.example/k", "query": "t"},
	}
	wholeSignatures = list{
		object{"algorithm": "ed25519", "header": "X-Sig", "encoding": "hex", "prefix": "v1=", "signed": "{timestamp}.{body}", "timestamp": object{"header": "X-T", "format": "rfc3339", "tolerance": "2m"}},
	}
	publishedKeys = list{
		object{"algorithm": "rsa-sha256", "header": "X-Sig", "keys": object{"url": "https://i.example/k", "format": "json", "member": "/key"}},
		object{"algorithm": "ecdsa-sha256", "body": "/token", "keys": object{"roots": list{"env:ROOT"}, "name": "any"}},
	}
)

// expression is mostly one, since a resumption has many.
func expression() draw { return mostly(anExpression, anExpression, "x {% y %}") }

func resumption() draw {
	lookup := with(map[string]draw{"table": mostly("waits", "${T:-w}", ""), "key": expression()}, map[string]draw{
		"keyAttribute": mostly("id", ""), "tokenAttribute": mostly("token"), "grace": durations(), "other": mostly("x"),
		"secretAttribute": mostly("secret"),
	})
	return rapid.Custom(func(t *rapid.T) any {
		need := map[string]draw{}
		for _, way := range []string{"token", "lookup"} {
			if rapid.IntRange(0, 1).Draw(t, way) == 0 {
				need[way] = map[string]draw{"token": expression(), "lookup": mostly(lookup)}[way]
			}
		}
		return with(need, map[string]draw{
			"fail": expression(), "heartbeat": expression(), "error": template(), "cause": template(), "output": template(), "other": mostly("x"),
			"page": mostly(with(map[string]draw{"title": mostly("Sure?", "")}, map[string]draw{"approve": mostly("Yes"), "reject": mostly("No", ""), "other": mostly("x")}), object{}),
		}).Draw(t, "resume")
	})
}

func catches(entry draw) draw {
	return rapid.Custom(func(t *rapid.T) any { return rapid.SliceOfN(entry, 0, 2).Draw(t, "catch") })
}

func errorNames() draw {
	return texts("OrderNotFound", "States.ALL", "Expressway.Deadline", "Expressway.Throttled", "Expressway.NoRoute", "Expressway.Nope", "")
}

func document() draw {
	// What belongs to one trigger is drawn for the others too, seldom.
	common := map[string]draw{
		"filter": mostly(anExpression, "true", "x {% y %}"), "input": template(), "mode": mostly("sync", "async", "later"),
		"timeout": durations(), "dedupe": mostly(true, false, object{}, object{"key": anExpression, "for": "24h"}, object{"key": "fixed"},
			object{"key": list{"a", anExpression}}, object{"key": object{"a": "b"}}, object{"for": "1h", "onError": "start"}, object{"onError": "run"}, object{"key": anExpression, "claim": "1m"}),
		"includedData": mostly("all", "metadata", "some"),
		"offload":      mostly(object{"to": "s3://bucket/a"}, "s3://bucket/a", object{"to": "s3://bucket/a", "kmsKey": "alias/k"}, object{"to": "a"}),
		"other":        mostly("x"),
	}
	httpKeys := map[string]draw{
		"queue":   mostly("https://sqs.eu-west-1.amazonaws.com/123456789012/q", "q"),
		"respond": answer(), "accepted": answer(), "onDeadline": of("acknowledge", answer(), "ack"),
		"cors": with(map[string]draw{"origins": texts("*", "https://a.example", "https://*", "a.example", "https://a/b")}, map[string]draw{
			"methods": texts("GET", "a b"), "headers": texts("x-a", "*:"), "exposeHeaders": texts("x-a"), "credentials": mostly(true, false, "on"), "maxAge": durations(),
		}),
		"cloudevents": mostly(object{"origins": "*"}, object{"origins": list{"eventgrid.azure.net"}}, object{"origins": list{}}, object{}),
	}
	sqsKeys := map[string]draw{
		"concurrency": mostly(1, 1000, 0, 1001, "${C:-5}", "5", 2.5), "trace": mostly("record", "invocation", "none"),
		"deadLetterQueue": mostly("", "https://sqs.eu-west-1.amazonaws.com/123456789012/dead", "arn:aws:sqs:eu-west-1:123456789012:dead", "dead", "arn:aws:sns:eu-west-1:123456789012:dead", "${Q:-}"),
		"retry":           with(map[string]draw{"delay": of("5s", "1m")}, map[string]draw{"rate": mostly(1, 2.5, 11, "${R:-2}"), "max": of("9m"), "jitter": mostly("full", "none", "some")}),
		"batch":           mostly(true, false, "${B:-false}"), "unwrap": mostly("sns", "eventbridge", "s3", "kinesis"),
	}
	record := with(map[string]draw{"errors": errorNames(), "then": mostly("retry", "discard", "dead-letter", "stop")}, map[string]draw{"status": mostly(200)})
	caught := rapid.Custom(func(t *rapid.T) any {
		out := answer().Draw(t, "answer").(object)
		if rapid.IntRange(0, 9).Draw(t, "nameless") > 0 {
			out["errors"] = errorNames().Draw(t, "errors")
		}
		return out
	})
	route := rapid.Custom(func(t *rapid.T) any {
		need := map[string]draw{"name": mostly("a", "a-1", "A", "a b", "${N:-n}"), "start": mostly("m", "arn:aws:states:eu-west-1:123456789012:stateMachine:m:1", "${M:-m}", "a b", "arn:aws:sns:eu-west-1:123456789012:m")}
		may := map[string]draw{}
		add := func(more map[string]draw) {
			for name, g := range more {
				may[name] = g
			}
		}
		add(common)
		trigger := rapid.SampledFrom([]string{"http", "sqs", "eventbridge"}).Draw(t, "trigger")
		triggers := map[string]draw{
			"http":        mostly("POST /a", "/a/{id}", "GET example.com/a/{rest...}", "POST /a/:id", "POST /a/{proxy+}", "post /a", "POST a", "POST /a?b=c"),
			"sqs":         mostly("orders", "*orders*", "orders.fifo", "arn:aws:sqs:eu-west-1:123456789012:orders", "https://sqs.eu-west-1.amazonaws.com/123456789012/orders", "arn:aws:sns:eu-west-1:123456789012:orders", "two words", "${Q:-q}"),
			"eventbridge": with(nil, map[string]draw{"source": texts("shop", "shop.*"), "detail-type": texts("Paid"), "other": mostly("x")}),
		}
		need[trigger] = triggers[trigger]
		switch trigger {
		case "http":
			need["verify"] = verifyBlock()
			may["catch"] = catches(caught)
			if rapid.IntRange(0, 9).Draw(t, "answers") == 0 {
				delete(need, "start")
				need["answer"] = answer()
			}
			if rapid.IntRange(0, 5).Draw(t, "links") == 0 {
				need["verify"] = of("link")
			}
			add(httpKeys)
		case "sqs":
			may["catch"] = catches(record)
			add(sqsKeys)
		default:
			may["catch"] = catches(record)
		}
		if rapid.IntRange(0, 3).Draw(t, "resumes") == 0 {
			delete(need, "start")
			need["resume"] = resumption()
		}
		if rapid.IntRange(0, 19).Draw(t, "foreign") == 0 {
			add(httpKeys)
			add(sqsKeys)
			add(triggers)
			may["verify"] = verifyBlock()
		}
		if rapid.IntRange(0, 39).Draw(t, "lacking") == 0 {
			delete(need, rapid.SampledFrom(sortedKeys(need)).Draw(t, "lacks"))
		}
		return with(need, may).Draw(t, "route")
	})
	return rapid.Custom(func(t *rapid.T) any {
		doc := object{"version": mostly(1).Draw(t, "version"), "routes": list{route.Draw(t, "route")}}
		if rapid.IntRange(0, 39).Draw(t, "odd routes") == 0 {
			doc["routes"] = of(list{}, nil, "x", object{}).Draw(t, "routes")
		}
		return doc
	})
}

func sortedKeys(m map[string]draw) []string { return slices.Sorted(maps.Keys(m)) }
