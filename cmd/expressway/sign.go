package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/expressway-dev/expressway/internal/samples"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/secrets/awsstore"
	"github.com/expressway-dev/expressway/pkg/verify"
)

type signCommand struct {
	Route   string            `arg:"" help:"The name of the route."`
	Data    string            `short:"d" placeholder:"FILE" help:"The file with the body, or - for standard input."`
	Sample  bool              `help:"Use the provider's sample as the body."`
	URL     string            `name:"url" default:"http://127.0.0.1:8080" help:"The scheme and host of the webhook function (default: ${default})."`
	Param   map[string]string `placeholder:"NAME=VALUE" help:"A value for {NAME} in the route's path."`
	Query   string            `placeholder:"QUERY" help:"The URL's query, such as a=1&b=2."`
	Header  []string          `short:"H" sep:"none" placeholder:"NAME: VALUE" help:"A header to send. It is signed if the scheme signs it."`
	Event   string            `placeholder:"NAME" help:"The name of the event, for providers that send it in a header, such as X-GitHub-Event."`
	Secret  string            `placeholder:"REF" help:"The reference to the secret to sign with (default: the route's first)."`
	Keys    string            `placeholder:"FILE" help:"A file with your own private keys, for senders who sign with a private key. It is created if it does not exist (default: $EXPRESSWAY_SIGNING_KEYS)."`
	Config  string            `placeholder:"FILE" help:"The configuration (default: $EXPRESSWAY_CONFIG, else expressway.yaml)."`
	EnvVars string            `placeholder:"FILE" help:"Environment variables as a JSON file in the form of 'sam local --env-vars' (default: env.json, if it exists)."`
}

// Help returns the long help text for kong.
func (*signCommand) Help() string {
	return "Prints a curl command that the route accepts, for sh: expressway sign github -d push.json --event push | sh. " +
		"Signatures expire, so print a new command for each use. The command contains tokens and passwords in plain text. " +
		"If the sender signs with a private key, the route knows only its public key. With --keys, the command is signed with your own keys, and a note says which secret the route must have to accept them."
}

// A delivery is the request that is signed and printed.
type delivery struct {
	verify.Request
	host   string
	file   string // the file of the body for curl; empty if the body is in the command
	target string
}

func (c *signCommand) Run(ctx context.Context, p *program) error {
	route, getenv, err := c.load(p)
	if err != nil {
		return err
	}
	d, err := c.delivery(p, route)
	if err != nil {
		return err
	}
	note, err := c.sign(ctx, d, route, getenv, time.Now())
	if err != nil {
		return err
	}
	if _, err := io.WriteString(p.stderr, note); err != nil {
		return err
	}
	_, err = io.WriteString(p.stdout, d.curl())
	return err
}

func (c *signCommand) load(p *program) (*config.Route, func(string) string, error) {
	cfg, getenv, err := (&project{Config: c.Config, EnvVars: c.EnvVars}).config(p)
	if err != nil {
		return nil, nil, err
	}
	route, err := routeNamed(cfg, c.Route)
	if err != nil {
		return nil, nil, err
	}
	if route.HTTP == nil {
		return nil, nil, fmt.Errorf("route %s has no http trigger: there is nothing to sign", c.Route)
	}
	return route, getenv, nil
}

func routeNamed(cfg *config.Config, name string) (*config.Route, error) {
	var names []string
	for _, r := range cfg.Routes {
		if r.Name == name {
			return r, nil
		}
		names = append(names, r.Name)
	}
	return nil, fmt.Errorf("%s has no route %q; it has %s", cfg.File, name, strings.Join(names, ", "))
}

// delivery makes the request before it is signed.
func (c *signCommand) delivery(p *program, route *config.Route) (*delivery, error) {
	d := &delivery{Request: verify.Request{Method: route.HTTP.Method(), RawQuery: c.Query, Header: http.Header{}}}
	if err := c.sample(d, route); err != nil {
		return nil, err
	}
	if err := c.readBody(p, d); err != nil {
		return nil, err
	}
	if strings.ContainsFunc(c.Query, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' }) {
		return nil, fmt.Errorf("--query must be escaped as in a URL, with %%20 for a space and %%23 for #, not %q", c.Query)
	}
	if d.Method == "" { // the pattern matches all methods
		d.Method = http.MethodPost
		if len(d.Body) == 0 {
			d.Method = http.MethodGet
		}
	}
	var err error
	if d.host, d.Path, err = fill(route.HTTP.Path(), c.Param); err != nil {
		return nil, err
	}
	base, err := url.Parse(c.URL)
	if err != nil || base.Host == "" || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("--url must be scheme and host, such as http://127.0.0.1:8080, not %q", c.URL)
	}
	d.target = strings.TrimSuffix(c.URL, "/") + d.Path
	return d, c.headers(d, route)
}

func (c *signCommand) readBody(p *program, d *delivery) (err error) {
	switch c.Data {
	case "":
		return nil
	case "-":
		d.Body, err = io.ReadAll(io.LimitReader(p.stdin, httpfront.MaxBody+1))
		if bytes.IndexByte(d.Body, 0) >= 0 {
			return errors.New("a body with NUL bytes cannot be written in a command; pass it as a file")
		}
	default:
		d.file = c.Data
		d.Body, err = os.ReadFile(c.Data)
	}
	if err == nil && len(d.Body) > httpfront.MaxBody {
		err = fmt.Errorf("%s has more than the %d bytes that a webhook may have", c.Data, httpfront.MaxBody)
	}
	return err
}

// sample makes the body and the event's name those of the provider's sample.
func (c *signCommand) sample(d *delivery, route *config.Route) error {
	if !c.Sample {
		return nil
	}
	s, ok := samples.Of(route.HTTP.Verify.Provider)
	switch {
	case c.Data != "":
		return errors.New("--sample and --data cannot be combined: each sets the body")
	case !ok:
		return errors.New("--sample: the route's sender is not a provider with a sample: write a body to a file, and pass it with --data")
	}
	d.Body = []byte(s.Body)
	d.Header.Set("Content-Type", s.ContentType)
	if s.Event != "" && c.Event == "" {
		c.Event = s.Event
	}
	return nil
}

// headers sets what is sent in addition to the signature: a content type, the headers of
// the command line, and a new delivery id.
func (c *signCommand) headers(d *delivery, route *config.Route) error {
	for _, line := range c.Header {
		name, value, found := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if !found || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return fmt.Errorf("--header must have the form 'Name: value', not %q", line)
		}
		d.Header.Add(name, value)
	}
	if len(d.Body) > 0 && d.Header.Get("Content-Type") == "" {
		d.Header.Set("Content-Type", contentType(c.Data, d.Body))
	}
	preset, _ := route.HTTP.Verify.Preset()
	if c.Event != "" {
		if preset.EventName.Header == "" {
			return errors.New("--event: the route's sender does not name events in a header: write the name into the body, or use --header")
		}
		if !httpguts.ValidHeaderFieldValue(c.Event) {
			return fmt.Errorf("--event: %q cannot be the value of a header", c.Event)
		}
		d.Header.Set(preset.EventName.Header, c.Event)
	}
	return nil
}

func contentType(file string, body []byte) string {
	switch ext := strings.ToLower(filepath.Ext(file)); {
	case ext == ".json" || json.Valid(body):
		return "application/json"
	case ext == ".xml":
		return "application/xml"
	case ext == ".txt":
		return "text/plain; charset=utf-8"
	case ext == ".form" || bytes.IndexByte(body, '=') > 0 && !bytes.ContainsAny(body, " <{\r\n"):
		return "application/x-www-form-urlencoded"
	}
	return "application/octet-stream"
}

// sign adds the signature, and an id if the sender sends it in a header. The note says
// which secret the route must have to accept a signature made with the user's own keys.
func (c *signCommand) sign(ctx context.Context, d *delivery, route *config.Route, getenv func(string) string, now time.Time) (note string, _ error) {
	spec := route.HTTP.Verify
	secret, err := c.secretFor(ctx, &spec, getenv)
	var signed *verify.Signed
	if err == nil {
		signed, err = verify.SignRequest(spec, secret, &d.Request, now)
	}
	if file := cmp.Or(c.Keys, getenv("EXPRESSWAY_SIGNING_KEYS")); err != nil && file != "" {
		var keys string
		if keys, err = signingKeys(file, now); err == nil {
			signed, err = verify.SignRequest(spec, keys, &d.Request, now)
		}
		if err == nil {
			note = acceptedWith(&spec, keys, secret)
		}
	}
	var cannot *verify.CannotSignError
	switch {
	case errors.As(err, &cannot) && cannot.Keys:
		return "", fmt.Errorf("route %s: %w: --keys FILE", route.Name, err)
	case err != nil:
		return "", fmt.Errorf("route %s: %w", route.Name, err)
	}
	maps.Copy(d.Header, signed.Header)
	if !bytes.Equal(signed.Body, d.Body) {
		d.Body, d.file = signed.Body, "" // the scheme signs inside the body
	}
	d.RawQuery = signed.RawQuery
	if id := route.HTTP.DeliveryID; id.Unsigned && id.Header != "" && d.Header.Get(id.Header) == "" {
		sum := sha256.Sum256(append([]byte(now.String()), d.Body...))
		d.Header.Set(id.Header, hex.EncodeToString(sum[:16]))
	}
	return note, nil
}

// secretFor returns the secret to sign with; it returns "" if the route has none.
func (c *signCommand) secretFor(ctx context.Context, spec *verify.Spec, getenv func(string) string) (string, error) {
	text := c.Secret
	if refs := spec.References(); text == "" && len(refs) > 0 {
		text = refs[0]
	}
	if text == "" {
		return "", nil
	}
	ref, err := secrets.Parse(text)
	if err != nil {
		return "", err
	}
	value, err := secrets.NewSource(secrets.Options{Getenv: getenv, Fetchers: awsstore.Fetchers(getenv)}).Get(ctx, ref)
	if err != nil {
		return "", fmt.Errorf("%s: %w: sign with another secret by --secret env:NAME", ref, err)
	}
	return value.Reveal(), nil
}

// signingKeys reads the keys, or creates them.
func signingKeys(file string, now time.Time) (string, error) {
	text, err := os.ReadFile(file)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return string(text), err
	}
	keys, err := verify.MakeKeys(now)
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	if _, err := f.WriteString(keys); err != nil {
		_ = f.Close()
		return "", err
	}
	return keys, f.Close()
}

// acceptedWith returns a note that says which secret the route must have, or "" if it has
// that secret.
func acceptedWith(spec *verify.Spec, keys, secret string) string {
	public, err := verify.PublicHalf(*spec, keys)
	refs := spec.References()
	switch {
	case err != nil:
		return "note: the route fetches its sender's keys, and accepts these keys only if they are published there\n"
	case strings.TrimSpace(public) == strings.TrimSpace(secret):
		return ""
	case len(refs) == 0:
		return "note: the route accepts these keys only if verify.secrets lists a reference to this:\n" + public + "\n"
	}
	return "note: the route accepts these keys only if " + refs[0] + " is this, as in env.json:\n" + public + "\n"
}

// curl returns the command for sh.
func (d *delivery) curl() string {
	if d.RawQuery != "" {
		d.target += "?" + d.RawQuery
	}
	options := ""
	if strings.ContainsAny(d.target, "[]{}") {
		options += " -g" // otherwise, curl would expand it to several URLs
	}
	if strings.Contains(d.target, "/.") {
		options += " --path-as-is" // otherwise, curl would resolve it
	}
	lines := []string{"curl -sS" + options + " -w '\\n' -X " + d.Method + " " + shellQuote(d.target)}
	if d.Method == http.MethodHead {
		lines[0] = "curl -sS" + options + " -I " + shellQuote(d.target)
	}
	if d.host != "" {
		lines = append(lines, "-H "+shellQuote("Host: "+d.host))
	}
	for _, name := range slices.Sorted(maps.Keys(d.Header)) {
		for _, value := range d.Header[name] {
			header := name + ": " + value
			if value == "" {
				header = name + ";" // curl's syntax for an empty header
			}
			lines = append(lines, "-H "+shellQuote(header))
		}
	}
	switch {
	case d.file != "":
		lines = append(lines, "--data-binary @"+shellQuote(d.file))
	case len(d.Body) > 0:
		lines = append(lines, "--data-raw "+shellQuote(string(d.Body)))
	}
	return strings.Join(lines, " \\\n  ") + "\n"
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+-]+$`)

// shellQuote quotes any text as one word of sh.
func shellQuote(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

var wildcard = regexp.MustCompile(`\{([^{}]*)\}`)

// fill replaces a pattern's wildcards by their values.
func fill(pattern string, params map[string]string) (host, path string, err error) {
	host, path, _ = strings.Cut(pattern, "/")
	used := map[string]bool{}
	var missing []string
	path = "/" + wildcard.ReplaceAllStringFunc(path, func(w string) string {
		name, rest := strings.CutSuffix(w[1:len(w)-1], "...")
		if name == "$" {
			return ""
		}
		used[name] = true
		value, ok := params[name]
		switch {
		case !ok || value == "" && !rest:
			missing = append(missing, name)
			return ""
		case !rest:
			return url.PathEscape(value)
		}
		parts := strings.Split(value, "/")
		for i := range parts {
			parts[i] = url.PathEscape(parts[i])
		}
		return strings.Join(parts, "/")
	})
	if len(missing) > 0 {
		return "", "", fmt.Errorf("the path %s has a parameter: pass --param %s=VALUE", pattern, strings.Join(missing, "=VALUE --param "))
	}
	for name := range params {
		if !used[name] {
			return "", "", fmt.Errorf("--param %s: the path %s has no {%s}", name, pattern, name)
		}
	}
	return host, path, nil
}
