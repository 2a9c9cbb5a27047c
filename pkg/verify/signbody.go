package verify

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's choice
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// write changes the JSON body. Numbers keep their digits; the order of names and
// the white space do not stay.
func (s *signer) write(change func(object) error) error {
	body, err := bodyObject(s.out.Body)
	if err != nil {
		return errors.New("the body is no JSON object, into which this scheme writes")
	}
	if err := change(body); err != nil {
		return err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		return err
	}
	s.out.Body = bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	return nil
}

// items are the objects of a list in the body.
func items(body object, name, inner string) ([]object, error) {
	list, _ := body[name].([]any)
	var found []object
	for _, item := range list {
		if inner != "" {
			item = member(item, inner)
		}
		o, ok := item.(object)
		if !ok {
			return nil, errors.New(name + " has an item that is none of this scheme")
		}
		found = append(found, o)
	}
	if len(found) == 0 {
		return nil, errors.New("the body has no " + name)
	}
	return found, nil
}

func (s *signer) adyen() error {
	key, err := keyDecoder("hex")(s.secret)
	if err != nil {
		return errors.New("the secret is not a key of the form this scheme takes: hex")
	}
	return s.write(func(body object) error {
		list, err := items(body, "notificationItems", "NotificationRequestItem")
		if err != nil {
			return err
		}
		for _, item := range list {
			content, err := adyenContent(item)
			if err != nil {
				return err
			}
			more, ok := item["additionalData"].(object)
			if !ok {
				more = object{}
			}
			more["hmacSignature"] = base64.StdEncoding.EncodeToString(hmac256(key, content))
			item["additionalData"] = more
		}
		return nil
	})
}

func (s *signer) mailgun() error {
	timestamp, token := formatTime(s.now, "unix"), s.digest(s.out.Body)
	return s.write(func(body object) error {
		body["signature"] = object{
			"timestamp": timestamp, "token": token, "signature": hex.EncodeToString(hmac256([]byte(s.secret), timestamp+token)),
		}
		return nil
	})
}

func (s *signer) clientState() error {
	return s.write(func(body object) error {
		list, err := items(body, "value", "")
		for _, item := range list {
			item["clientState"] = s.secret
		}
		return err
	})
}

// twilio signs a form with the URL; the digest of any other body joins the query.
func (s *signer) twilio(r *Request) error {
	if len(r.Body) > 0 && !isForm(r.Header) {
		sum := sha256.Sum256(r.Body)
		pairs := slices.DeleteFunc(strings.Split(r.RawQuery, "&"), func(p string) bool {
			name, _, _ := strings.Cut(p, "=")
			return name == "" || name == "bodySHA256"
		})
		r.RawQuery = strings.Join(append(pairs, "bodySHA256="+hex.EncodeToString(sum[:])), "&")
		if r.URL != "" {
			base, _, _ := strings.Cut(r.URL, "?")
			r.URL = base + "?" + r.RawQuery
		}
		s.out.RawQuery = r.RawQuery
	}
	target := publicURL(s.spec.URL, r)
	params, err := twilioParams(r, target)
	if err != nil {
		return err
	}
	mac := hmac.New(sha1.New, []byte(s.secret))
	_, _ = io.WriteString(mac, target+params)
	s.out.Header.Set(twilioSignature, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return nil
}

// jwt makes a token for five minutes.
func (s *signer) jwt() error {
	key, err := decodeSharedKey(s.secret)
	if err != nil {
		return errors.New("the secret is shorter than 32 bytes")
	}
	j := s.spec.JWT
	claims := jwt.MapClaims{"iss": j.Issuer, "aud": j.Audience, "iat": s.now.Unix(), "exp": s.now.Add(5 * time.Minute).Unix()}
	for name, value := range j.Claims {
		claims[name] = value
	}
	algorithm := sharedAlgorithms[0]
	if len(j.Algorithms) > 0 {
		algorithm = j.Algorithms[0]
	}
	token, err := jwt.NewWithClaims(jwt.GetSigningMethod(algorithm), claims).SignedString(key)
	if err != nil {
		return err
	}
	s.out.Header.Set(authorization, "Bearer "+token)
	return nil
}
