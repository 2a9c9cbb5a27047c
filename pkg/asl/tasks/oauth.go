package tasks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// oauthParameters configure how a connection gets its tokens with the client credentials
// grant.
type oauthParameters struct {
	AuthorizationEndpoint string
	ClientParameters      struct{ ClientID, ClientSecret string }
	HTTPMethod            string         `json:"HttpMethod"`
	OAuthHTTPParameters   httpParameters `json:"OAuthHttpParameters"`
}

func (o *oauthParameters) check() error {
	u, err := url.Parse(o.AuthorizationEndpoint)
	switch {
	case err != nil || !trusted(u):
		return errors.New("AuthorizationEndpoint must be an https URL, or http on this machine's loopback")
	case o.ClientParameters.ClientID == "" || o.ClientParameters.ClientSecret == "":
		return errors.New("OAuthParameters needs ClientParameters with ClientID and ClientSecret")
	case o.HTTPMethod != "GET" && o.HTTPMethod != "POST" && o.HTTPMethod != "PUT":
		return errors.New("HttpMethod of OAuthParameters must be GET, POST or PUT")
	}
	return nil
}

// A tokenSource keeps the token of a connection until it expires or is refused.
type tokenSource struct {
	parameters *oauthParameters
	turn       chan struct{} // held while the other members are in use
	header     string
	expires    time.Time
}

func newTokenSource(o *oauthParameters) *tokenSource {
	return &tokenSource{parameters: o, turn: make(chan struct{}, 1)}
}

// How long a token without a lifetime is kept, and how long before its expiry a token is
// renewed at the latest.
const (
	unstatedLife = time.Minute
	renewal      = 30 * time.Second
)

// authorization returns the value of the header that carries the token.
func (s *tokenSource) authorization(ctx context.Context, client *http.Client, now func() time.Time) (string, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if s.header != "" && now().Before(s.expires) {
		return s.header, nil
	}
	header, life, err := s.fetch(ctx, client)
	if err != nil {
		return "", err
	}
	s.header, s.expires = header, now().Add(life-min(life/10, renewal))
	return header, nil
}

// refused forgets a token that an API did not accept.
func (s *tokenSource) refused(header string) {
	s.turn <- struct{}{}
	if s.header == header {
		s.header = ""
	}
	<-s.turn
}

// fetch requests a token. The client's secret is in the body, or in a header if there is
// no body, and never in a URL, because URLs are logged.
func (s *tokenSource) fetch(ctx context.Context, client *http.Client) (header string, life time.Duration, err error) {
	o := s.parameters
	target, err := url.Parse(o.AuthorizationEndpoint)
	if err != nil {
		return "", 0, err
	}
	query := target.Query()
	for _, p := range o.OAuthHTTPParameters.QueryStringParameters {
		query.Set(p.Key, p.Value)
	}
	fields := url.Values{"grant_type": {"client_credentials"}}
	for _, p := range o.OAuthHTTPParameters.BodyParameters {
		fields.Set(p.Key, p.Value)
	}
	var body []byte
	inBody := o.HTTPMethod != http.MethodGet
	contentType := "application/x-www-form-urlencoded"
	for _, p := range o.OAuthHTTPParameters.HeaderParameters {
		if strings.EqualFold(p.Key, "Content-Type") {
			contentType = p.Value
		}
	}
	if inBody {
		fields.Set("client_id", o.ClientParameters.ClientID)
		fields.Set("client_secret", o.ClientParameters.ClientSecret)
		body = tokenRequestBody(fields, contentType)
	} else {
		for name := range fields {
			query.Set(name, fields.Get(name))
		}
	}
	target.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, o.HTTPMethod, target.String(), bytes.NewReader(body))
	if err != nil {
		return "", 0, err
	}
	req.Header.Set("Accept", "application/json")
	if inBody {
		req.Header.Set("Content-Type", contentType)
	} else {
		req.SetBasicAuth(url.QueryEscape(o.ClientParameters.ClientID), url.QueryEscape(o.ClientParameters.ClientSecret))
	}
	for _, p := range o.OAuthHTTPParameters.HeaderParameters {
		req.Header.Set(p.Key, p.Value)
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", 0, withoutURL(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return readToken(resp)
}

func tokenRequestBody(fields url.Values, contentType string) []byte {
	if !strings.Contains(contentType, "json") {
		return []byte(fields.Encode())
	}
	members := map[string]string{}
	for name := range fields {
		members[name] = fields.Get(name)
	}
	text, _ := json.Marshal(members) // texts always have a JSON form
	return text
}

// readToken reads the answer of an authorization endpoint ([RFC 6749], section 5.1).
//
// [RFC 6749]: https://www.rfc-editor.org/rfc/rfc6749
func readToken(resp *http.Response) (header string, life time.Duration, err error) {
	const most = 1 << 20
	text, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return "", 0, withoutURL(err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return "", 0, fmt.Errorf("the authorization endpoint answered %s", resp.Status)
	}
	var answer struct {
		AccessToken string          `json:"access_token"`
		TokenType   string          `json:"token_type"`
		ExpiresIn   json.RawMessage `json:"expires_in"`
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.AccessToken == "" {
		return "", 0, errors.New("the authorization endpoint answered without an access_token")
	}
	scheme := answer.TokenType
	if scheme == "" || strings.EqualFold(scheme, "bearer") {
		scheme = "Bearer"
	}
	life = unstatedLife
	if seconds, err := strconv.Atoi(strings.Trim(string(answer.ExpiresIn), `"`)); err == nil && seconds >= 0 {
		life = time.Duration(min(seconds, 365*24*3600)) * time.Second
	}
	return scheme + " " + answer.AccessToken, life, nil
}

// withoutURL removes the URL, which may have secrets in its query, from an error of a
// client.
func withoutURL(err error) error {
	if within, ok := errors.AsType[*url.Error](err); ok {
		return within.Err
	}
	return err
}
