package config_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// schemaKeys are the keys that the schema defines, by the object that contains them: ""
// for the file, route, and dotted names below a route.
func schemaKeys(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("expressway.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	defs := root["$defs"].(map[string]any)
	out := map[string][]string{}
	var walk func(path string, schema any)
	walk = func(path string, schema any) {
		object, ok := schema.(map[string]any)
		if !ok {
			return
		}
		if ref, ok := object["$ref"].(string); ok && ref != "#/$defs/template" {
			walk(path, defs[strings.TrimPrefix(ref, "#/$defs/")])
		}
		for _, choice := range []string{"oneOf", "anyOf"} {
			list, _ := object[choice].([]any)
			for _, s := range list {
				walk(path, s)
			}
		}
		walk(path, object["items"])
		properties, ok := object["properties"].(map[string]any)
		if !ok || object["type"] == nil { // a condition next to a choice repeats the names of some keys
			return
		}
		if object["additionalProperties"] != false {
			t.Errorf("%s takes keys that it does not name", path)
		}
		for name, s := range properties {
			if description(s) == "" {
				t.Errorf("%s.%s has no description", path, name)
			}
			if !slices.Contains(out[path], name) {
				out[path] = append(out[path], name)
			}
		}
		slices.Sort(out[path])
		for name, s := range properties {
			if name == "catch" {
				continue
			}
			below := name
			switch {
			case path == "" && name == "routes":
				below = "route"
			case path != "" && path != "route":
				below = path + "." + name
			}
			walk(below, s)
		}
	}
	walk("", root)
	for _, kind := range []string{"catchAnswer", "catchRecord", "catchEvent"} { // by the route's trigger
		walk("catch", defs[kind])
	}
	return out
}

func description(schema any) string {
	object, _ := schema.(map[string]any)
	text, _ := object["description"].(string)
	return text
}

// knows is what the reader says of a key that it does not know.
var knows = regexp.MustCompile(`has no key "zzzzzzzz"; its keys are ([^\n]*)`)

// The schema and the reader know the same keys, everywhere.
func TestSchemaAndReaderAgree(t *testing.T) {
	t.Parallel()
	const begin = "version: 1\nroutes:\n  - {name: a, start: m, "
	http := begin + "http: POST /a, verify: none, "
	in := func(prefix, key string) string { return prefix + key + ": {zzzzzzzz: 1}}\n" }
	verifyIn := func(key string) string { return begin + "http: POST /a, verify: {" + key + ": {zzzzzzzz: 1}}}\n" }
	sources := map[string][]string{
		"":                           {"version: 1\nzzzzzzzz: 1\n"},
		"route":                      {begin + "zzzzzzzz: 1}\n"},
		"eventbridge":                {in(begin, "eventbridge")},
		"verify":                     {in(begin+"http: POST /a, ", "verify")},
		"verify.basic":               {verifyIn("basic")},
		"verify.token":               {verifyIn("token")},
		"verify.handshake":           {verifyIn("handshake")},
		"verify.hmac":                {verifyIn("hmac")},
		"verify.hmac.timestamp":      {begin + "http: POST /a, verify: {hmac: {timestamp: {zzzzzzzz: 1}}}}\n"},
		"verify.hmac.signature":      {begin + "http: POST /a, verify: {hmac: {signature: {zzzzzzzz: 1}}}}\n"},
		"verify.jwt":                 {verifyIn("jwt")},
		"verify.jwt.body":            {begin + "http: POST /a, verify: {jwt: {body: {zzzzzzzz: 1}}}}\n"},
		"verify.signature":           {verifyIn("signature")},
		"verify.signature.keys":      {begin + "http: POST /a, verify: {signature: {keys: {zzzzzzzz: 1}}}}\n"},
		"verify.signature.timestamp": {begin + "http: POST /a, verify: {signature: {timestamp: {zzzzzzzz: 1}}}}\n"},
		"verify.mtls":                {verifyIn("mtls")},
		"respond":                    {in(http, "respond")},
		"answer":                     {begin + "http: GET /a, verify: none, answer: {zzzzzzzz: 1}}\n"},
		"accepted":                   {in(http+"mode: async, ", "accepted")},
		"onDeadline":                 {in(http, "onDeadline")},
		"cors":                       {in(http, "cors")},
		"cloudevents":                {in(http, "cloudevents")},
		"dedupe":                     {in(http, "dedupe")},
		"offload":                    {in(http, "offload")},
		"retry":                      {in(begin+"sqs: q, ", "retry")},
		"catch":                      {http + "catch: [{zzzzzzzz: 1}]}\n", begin + "sqs: q, catch: [{zzzzzzzz: 1}]}\n"},
		"resume":                     {begin + "http: POST /a, verify: none, resume: {zzzzzzzz: 1}}\n"},
		"resume.lookup":              {begin + "http: POST /a, verify: none, resume: {lookup: {zzzzzzzz: 1}}}\n"},
		"resume.page":                {begin + "http: POST /a, verify: none, resume: {page: {zzzzzzzz: 1}}}\n"},
	}
	reader := map[string][]string{}
	for path, texts := range sources {
		for _, text := range texts {
			_, err := config.Options{Getenv: env(nil)}.Parse("s.yaml", []byte(text))
			if err == nil {
				t.Fatalf("%s: the key zzzzzzzz is accepted", path)
			}
			m := knows.FindStringSubmatch(err.Error())
			if m == nil {
				t.Fatalf("%s: %v, want the keys that exist", path, err)
			}
			for name := range strings.SplitSeq(m[1], ", ") {
				if !slices.Contains(reader[path], name) {
					reader[path] = append(reader[path], name)
				}
			}
		}
		slices.Sort(reader[path])
	}
	if diff := cmp.Diff(schemaKeys(t), reader); diff != "" {
		t.Errorf("keys (-schema +reader):\n%s", diff)
	}
}

// reference is a row of the reference's table: the key's path, and what is under
// meaning, default and example.
var reference = regexp.MustCompile("(?m)^\\| `([A-Za-z0-9.-]+)` \\|([^|]+)\\|([^|]*)\\|([^|]+)\\|$")

// Every key has a row in the reference, with an example that has the key, and no row is
// of a key that there is not.
func TestReferenceOfKeys(t *testing.T) {
	t.Parallel()
	_, table, found := strings.Cut(readDoc(t, "docs/configuration.md"), "\n## Every key\n")
	if !found {
		t.Fatal("docs/configuration.md has no section Every key")
	}
	rows := map[string]bool{}
	for _, m := range reference.FindAllStringSubmatch(table, -1) {
		key := m[1][strings.LastIndexByte(m[1], '.')+1:]
		if rows[m[1]] {
			t.Errorf("two rows for %s", m[1])
		}
		rows[m[1]] = true
		if strings.TrimSpace(m[2]) == "" || !strings.Contains(m[4], key+":") {
			t.Errorf("%s: %q, want a meaning and an example with %s:", m[1], m[0], key)
		}
	}
	for path, keys := range schemaKeys(t) {
		for _, key := range keys {
			full := key
			if path != "" && path != "route" {
				full = path + "." + key
			}
			// What an answer is made of has its rows under respond.
			for _, same := range []string{"answer.", "accepted.", "onDeadline."} {
				if rest, ok := strings.CutPrefix(full, same); ok {
					full = "respond." + rest
				}
			}
			if rest, ok := strings.CutPrefix(full, "catch."); ok && rest != "errors" && rest != "then" {
				full = "respond." + rest
			}
			if !rows[full] {
				t.Errorf("no row for %s", full)
			}
			rows[full+" "] = true
		}
	}
	for key := range rows {
		if !strings.HasSuffix(key, " ") && !rows[key+" "] {
			t.Errorf("a row for %s, which is not a key", key)
		}
	}
}

var update = flag.Bool("update", false, "rewrite the lists of the schema, in both files")

// The lists of the schema are those of the code. After adding a provider or an error name:
//
//	go test ./pkg/config -run TestSchemaLists -update
func TestSchemaLists(t *testing.T) {
	t.Parallel()
	want := map[string][]string{"bridgeErrors": bridge.Names(), "providers": verify.Providers()}
	for _, name := range verify.Providers() {
		preset, _ := verify.Lookup(name)
		if config.DeliveryKey(preset.DeliveryID) != "" {
			want["providersWithDeliveryId"] = append(want["providersWithDeliveryId"], name)
		}
		if preset.Tolerance > 0 {
			want["providersThatSignTheTime"] = append(want["providersThatSignTheTime"], name)
		}
		spec := verify.Spec{Provider: name, Secrets: []string{"env:A"}}
		missing := func(field string) bool {
			return slices.ContainsFunc(spec.Validate(), func(p verify.Problem) bool { return p.Field == field })
		}
		for list, field := range map[string]string{
			"providersThatSignTheURL": "url", "providersThatNeedAudience": "audience", "providersThatNeedEmail": "email",
			"providersThatNeedUsername": "username", "providersThatNeedPublicKey": "publicKey",
		} {
			if missing(field) {
				want[list] = append(want[list], name)
			}
		}
		spec.Token = &verify.Token{Reference: "env:T"}
		if !missing("token") {
			want["providersWithToken"] = append(want["providersWithToken"], name)
		}
		spec.Token = &verify.Token{Header: "X-Key"}
		if !missing("") {
			want["providersThatPlaceTokens"] = append(want["providersThatPlaceTokens"], name)
		}
		spec.Token, spec.Secrets = nil, nil
		if !missing("secrets") {
			want["providersWithoutSecrets"] = append(want["providersWithoutSecrets"], name)
		}
		spec.Handshake = "echo"
		if !missing("handshake") {
			want["providersThatEcho"] = append(want["providersThatEcho"], name)
		}
		spec.Handshake, spec.HandshakeStore = "", "ssm:/a"
		if !missing("handshake.store") {
			want["providersThatHandOver"] = append(want["providersThatHandOver"], name)
		}
	}
	for _, name := range bridge.Names() {
		if !config.Discardable(name) {
			want["neverDiscarded"] = append(want["neverDiscarded"], name)
		}
	}
	for _, file := range []string{"expressway.schema.json", "../../docs/expressway.schema.json"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fresh := text
		for name, list := range want {
			line, err := json.Marshal(list)
			if err != nil {
				t.Fatal(err)
			}
			value := regexp.MustCompile(`("` + name + `": \{"enum": )\[[^\]]*\]`)
			if !value.Match(fresh) {
				t.Errorf("%s has no list %s", file, name)
			}
			fresh = value.ReplaceAll(fresh, []byte("${1}"+strings.ReplaceAll(string(line), ",", ", ")))
		}
		switch {
		case bytes.Equal(fresh, text):
		case *update:
			if err := os.WriteFile(file, fresh, 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s has other lists than the code: go test ./pkg/config -run TestSchemaLists -update", file)
		}
	}
}
