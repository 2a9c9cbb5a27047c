package scaffold

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A hook is a webhook route of a provider.
type hook struct {
	provider string
	// name is the name of the route. It is not the provider's if the provider already has
	// a route.
	name string
	path string
	yaml string // the route as an item of routes
	// variables are the variables that the route reads in addition to the machine's, in
	// order.
	variables []variable
	dedupes   bool
}

// A variable of a function's environment that comes from a parameter of the stack.
type variable struct {
	name, parameter, description, local string
	secret                              bool
	fallback                            string // the default of the parameter; it may be empty
}

// newHook writes the route of a provider. It tries the additional settings that a
// provider may need, until the configuration is accepted without a warning.
func newHook(provider, path, machine string) (*hook, error) {
	if _, known := verify.Lookup(provider); !known {
		return nil, fmt.Errorf("there is no provider %q; the providers are %s", provider, strings.Join(verify.Providers(), ", "))
	}
	h := &hook{provider: provider, name: provider, path: path}
	prefix := strings.ToUpper(strings.ReplaceAll(provider, "-", "_"))
	parameter := pascal(provider)
	secret := variable{prefix + "_SECRET", parameter + "Secret", "The secret of the " + provider + " webhook.", "", true, ""}
	url := variable{"WEBHOOK_URL", "WebhookUrl", "The scheme and host that senders use to call the webhooks.", "http://127.0.0.1:8080", false, "https://hooks.example.com"}
	token := variable{prefix + "_VERIFY_TOKEN", parameter + "VerifyToken", "The verify token of the " + provider + " webhook.", "development-only-token", true, ""}
	username := variable{prefix + "_USERNAME", parameter + "Username", "The name that " + provider + " sends with the secret.", "expressway", false, "expressway"}
	public := variable{prefix + "_PUBLIC_KEY", parameter + "PublicKey", "The public key's id at " + provider + ".", "development", false, ""}
	email := variable{prefix + "_EMAIL", parameter + "Email", "The service account that " + provider + " sends as.", "pusher@example.com", false, ""}
	audience := variable{prefix + "_AUDIENCE", parameter + "Audience", "What " + provider + " sends to, such as the bundle ID of an app.", "com.example.app", false, ""}
	attempts := []struct {
		extra     string
		variables []variable
	}{
		{"secrets: [\"" + secretRef(secret.name) + "\"]", []variable{secret}},
		{"secrets: [\"" + secretRef(secret.name) + "\"], url: \"${WEBHOOK_URL}\"", []variable{secret, url}},
		{"secrets: [\"" + secretRef(secret.name) + "\"], token: \"" + secretRef(token.name) + "\"", []variable{secret, token}},
		{"topics: any", nil},
		{"secrets: [\"" + secretRef(secret.name) + "\"], username: \"${" + username.name + "}\"", []variable{secret, username}},
		{"secrets: [\"" + secretRef(secret.name) + "\"], publicKey: \"${" + public.name + "}\"", []variable{secret, public}},
		{"audience: \"${WEBHOOK_URL}" + path + "\", email: \"${" + email.name + "}\"", []variable{url, email}},
		{"secrets: [\"" + secretRef(secret.name) + "\"], audience: \"${WEBHOOK_URL}" + path + "\", handshake: echo", []variable{secret, url}},
		{"audience: \"${" + audience.name + "}\"", []variable{audience}},
	}
	// If the provider has no delivery id, there is no way to guess which deliveries are
	// equal.
	dedupes := []string{"    dedupe: {for: 72h}\n", ""}
	if provider == "meta" { // the provider asks for consent with a token
		attempts = attempts[2:3]
	}
	for _, a := range attempts {
		best := ""
		for _, dedupe := range dedupes {
			yaml := fmt.Sprintf("  - name: %s\n    http: POST %s\n    verify: {provider: %s, %s}\n%s    start: %s\n", provider, path, provider, a.extra, dedupe, machine)
			spec, warned, ok := takes(yaml)
			if ok && (best == "" || !warned) {
				best = yaml
				h.yaml, h.variables, h.dedupes = yaml, slices.Clone(a.variables), dedupe != ""
				for i := range h.variables {
					if h.variables[i].secret && h.variables[i].local == "" {
						h.variables[i].local = localSecret(spec)
					}
				}
			}
			if ok && !warned {
				return h, nil
			}
		}
		if best != "" {
			return h, nil
		}
	}
	return nil, fmt.Errorf("the provider %s needs more than a secret: docs/providers.md has a route to paste", provider)
}

// secretRef returns the reference to a secret in a route: to the place where the stack keeps
// it, or else to the variable itself, on a laptop and in stacks that set it.
func secretRef(name string) string { return "${" + referenceName(name) + ":-env:" + name + "}" }

// takes reports whether a configuration with one route is accepted, and whether there are
// warnings.
func takes(route string) (spec verify.Spec, warned, ok bool) {
	cfg, err := config.Options{Getenv: func(name string) string {
		switch {
		case strings.HasSuffix(name, "_REF"):
			return ""
		case name == "WEBHOOK_URL":
			return "https://hooks.example.com"
		case strings.HasSuffix(name, "_EMAIL"):
			return "pusher@example.com"
		}
		return "arn:aws:states:us-east-1:123456789012:stateMachine:m"
	}}.Parse("expressway.yaml", []byte("version: 1\nroutes:\n"+route))
	if err != nil {
		return spec, false, false
	}
	return cfg.Routes[0].HTTP.Verify, len(cfg.Warnings()) > 0, true
}

// localSecret returns a secret for a laptop, in the form that the scheme expects.
func localSecret(spec verify.Spec) string {
	const text = "development-only-secret"
	key := bytes.Repeat([]byte{7}, 32)
	public := ed25519.NewKeyFromSeed(key).Public().(ed25519.PublicKey)
	for _, candidate := range []string{
		text, "whsec_" + base64.StdEncoding.EncodeToString(key), hex.EncodeToString(public), base64.StdEncoding.EncodeToString(key), spki,
	} {
		source := secrets.NewSource(secrets.Options{Getenv: func(string) string { return candidate }})
		if _, err := verify.New(spec, source, verify.Options{}); err == nil {
			return candidate
		}
	}
	return text
}

// spki returns a public key on P-256 in the form in which SendGrid shows it.
const spki = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEjlM7b6C/e0YluzBmfAH7YH75+LioD+9bMAYocDGHsqNz6x294DMYNm0Gn4Om9ZAAU8c2M8sEGyHFXhqGwfQAtA=="

var separators = regexp.MustCompile(`[^A-Za-z0-9]+`)

// pascal returns a name in the form of a logical id.
func pascal(name string) string {
	var b strings.Builder
	for _, word := range separators.Split(name, -1) {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

var boundary = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// upperSnake returns a logical id in the form of a variable's name.
func upperSnake(id string) string {
	return strings.ToUpper(separators.ReplaceAllString(boundary.ReplaceAllString(id, "${1}_${2}"), "_"))
}
