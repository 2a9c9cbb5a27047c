package tasks

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl/jsontext"
)

// Connections are the EventBridge connections that authorize HTTP tasks, by ARN.
type Connections struct {
	byARN map[string]*connection
}

// A connection has the members of CreateConnection that concern authorization.
type connection struct {
	APIKey *struct {
		APIKeyName, APIKeyValue string
	} `json:"ApiKeyAuthParameters"`
	Basic *struct {
		Username, Password string
	} `json:"BasicAuthParameters"`
	OAuth      *oauthParameters `json:"OAuthParameters"`
	Invocation httpParameters   `json:"InvocationHttpParameters"`

	tokens *tokenSource // of OAuth
}

// httpParameters are the parameters that a connection adds to a request.
type httpParameters struct {
	HeaderParameters, QueryStringParameters, BodyParameters []httpParameter
}

type httpParameter struct {
	Key, Value    string
	IsValueSecret bool // ignored, because anyone who can read the file can see the values
}

// LoadConnections reads a file of connections. Errors begin with the file's name and do
// not contain values of it.
func LoadConnections(file string, text []byte) (*Connections, error) {
	if e := jsontext.CheckUnique(text); e != nil {
		return nil, fmt.Errorf("%s:%d:%d: %s", file, e.Line, e.Column, e.Reason)
	}
	c := &Connections{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c.byARN); err != nil {
		return nil, fmt.Errorf("%s: not in the form {CONNECTION-ARN: {…}}: %w", file, err)
	}
	for arn, conn := range c.byARN {
		if err := conn.check(arn); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, arn, err)
		}
		if conn.OAuth != nil {
			conn.tokens = newTokenSource(conn.OAuth)
		}
	}
	return c, nil
}

func (c *connection) check(arn string) error {
	if parts := strings.SplitN(arn, ":", 6); len(parts) < 6 || parts[0] != "arn" || parts[2] != "events" || !strings.HasPrefix(parts[5], "connection/") {
		return errors.New("not the ARN of a connection, such as arn:aws:events:us-east-1:123456789012:connection/NAME/ID")
	}
	if c == nil {
		return errors.New("the connection has no authorization")
	}
	kinds := 0
	for _, given := range []bool{c.APIKey != nil, c.Basic != nil, c.OAuth != nil} {
		if given {
			kinds++
		}
	}
	in := &c.Invocation
	parameters := slices.Concat(in.HeaderParameters, in.QueryStringParameters, in.BodyParameters)
	switch {
	case kinds > 1:
		return errors.New("there must be one of ApiKeyAuthParameters, BasicAuthParameters and OAuthParameters")
	case kinds == 0 && len(parameters) == 0:
		return errors.New("there must be one of ApiKeyAuthParameters, BasicAuthParameters, OAuthParameters and InvocationHttpParameters")
	case c.APIKey != nil && (c.APIKey.APIKeyName == "" || c.APIKey.APIKeyValue == ""):
		return errors.New("ApiKeyAuthParameters needs ApiKeyName and ApiKeyValue")
	case c.Basic != nil && (c.Basic.Username == "" || c.Basic.Password == ""):
		return errors.New("BasicAuthParameters needs Username and Password")
	}
	for _, p := range parameters {
		if p.Key == "" {
			return errors.New("a parameter in InvocationHttpParameters has no Key")
		}
	}
	if c.OAuth != nil {
		return c.OAuth.check()
	}
	return nil
}

// find returns the connection of an ARN.
func (c *Connections) find(arn string) (*connection, bool) {
	if c == nil {
		return nil, false
	}
	conn, ok := c.byARN[arn]
	return conn, ok
}

// trusted reports whether a request with secrets may go to an address: over TLS, or to
// this machine.
func trusted(u *url.URL) bool {
	if u.Host == "" || u.User != nil {
		return false
	}
	if u.Scheme == "https" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (ip != nil && ip.IsLoopback() || strings.EqualFold(u.Hostname(), "localhost"))
}

// hostOf returns the local address for the host of a request. A name also matches in
// capital letters and with a final dot, so that a different spelling does not reach the
// host itself.
func hostOf(hosts map[string]string, u *url.URL) (*url.URL, error) {
	for _, host := range []string{u.Host, u.Hostname()} {
		for name, address := range hosts {
			if plainHost(name) == plainHost(host) {
				return under(address, u)
			}
		}
	}
	return u, nil
}

func plainHost(host string) string {
	name, port, found := strings.Cut(strings.ToLower(host), ":")
	name = strings.TrimSuffix(name, ".")
	if found {
		name += ":" + port
	}
	return name
}

// under moves a request to another address, which is a URL or a host with a port.
func under(address string, u *url.URL) (*url.URL, error) {
	base, err := baseOf(address)
	if err != nil {
		return nil, fmt.Errorf("the host %s is mapped to %s: %w", u.Host, address, err)
	}
	out := *u
	out.Scheme, out.Host = base.Scheme, base.Host
	out.Path = cmp.Or(strings.TrimSuffix(base.Path, "/")+u.Path, "/")
	out.RawPath = cmp.Or(strings.TrimSuffix(base.EscapedPath(), "/")+u.EscapedPath(), "/")
	return &out, nil
}

func baseOf(address string) (*url.URL, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.User != nil || base.RawQuery != "" {
		return nil, errors.New("the address must be a host with a port, or an http or https URL")
	}
	return base, nil
}

// CheckHost returns an error if an entry of [Here].Hosts is not valid.
func CheckHost(name, address string) error {
	if u, err := url.Parse("https://" + name); err != nil || u.Host != name || name == "" {
		return errors.New("the name must be the host of an API or an endpoint, such as api.example.com")
	}
	_, err := baseOf(address)
	return err
}
