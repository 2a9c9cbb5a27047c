package verify

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // what some senders sign with
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// snsScheme is https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html.
var snsScheme = scheme{
	name:     "sns",
	verifier: newSNS,
	check:    checkTopics,
	keyless:  func(s *Spec, _ *Preset) bool { return len(s.Secrets) == 0 },
}

var snsTools = tools{
	sign: signSNS,
	signature: &Signature{
		Algorithm: "rsa-sha1 (SignatureVersion 1) or rsa-sha256 (2)", Encoding: "base64", Signed: "names and values of the message's fields",
		Keys: "none: the certificate comes from SNS; or certificates as PEM",
	},
}

func checkTopics(c *checker, s *Spec) {
	if len(s.Topics) == 0 {
		c.add("topics", "is missing: anyone's topic is signed by AWS; list the ARNs, or write any")
	}
	for i, topic := range s.Topics {
		if topic == "any" && len(s.Topics) == 1 {
			continue
		}
		if parts := strings.Split(topic, ":"); len(parts) != 6 || parts[0] != "arn" || parts[2] != "sns" || parts[5] == "" {
			c.add(fmt.Sprintf("topics.%d", i), "is not the ARN of a topic")
		}
	}
}

type sns struct {
	topics    []string // nil means any
	certs     *certStore
	pinned    *keyring[*x509.Certificate] // in place of certs, or nil
	now       func() time.Time
	tolerance time.Duration
}

// snsFields lists the signed fields for each message type, sorted by name.
var snsFields = map[string][]string{
	"Notification":             {"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"},
	"SubscriptionConfirmation": {"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"},
	"UnsubscribeConfirmation":  {"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"},
}

var errNoFetch = errors.New("verify.provider: sns needs certificates, but there is no client to fetch them")

func newSNS(b *builder) (Verifier, error) {
	v := &sns{now: b.now, tolerance: b.tolerance()}
	switch {
	case len(b.refs) > 0:
		var err error
		if v.pinned, err = newKeyring(b, decodeCertificate, certificateForms); err != nil {
			return nil, err
		}
	case b.fetch == nil:
		return nil, errNoFetch
	default:
		v.certs = newCertStore(b, "SigningCertURL", snsIssuers)
		v.certs.unchained = true
	}
	if !slices.Equal(b.spec.Topics, Topics{"any"}) {
		v.topics = b.spec.Topics
	}
	return v, nil
}

func (*sns) Headers() []string { return nil }

// snsNames are the members that are read.
var snsNames = []string{
	"Type", "MessageId", "TopicArn", "Message", "Subject", "Timestamp", "SubscribeURL", "Token", "SignatureVersion", "Signature", "SigningCertURL",
}

// An snsMessage holds the members of a message by name.
type snsMessage map[string]*want

func readSNS(body []byte) (snsMessage, error) {
	m, members := snsMessage{}, make([]*want, len(snsNames))
	for i, name := range snsNames {
		members[i] = wanted(name)
		m[name] = members[i]
	}
	return m, scanObject(body, members...)
}

func (m snsMessage) text(name string) string { return m[name].string() }

func (v *sns) Verify(ctx context.Context, r *Request) error {
	m, err := readSNS(r.Body)
	if err != nil {
		return err
	}
	// The topic is checked first: it is not proven yet, but a sender who does not know
	// the topic must not be able to cause a fetch.
	topic := m.text("TopicArn")
	region, ok := topicRegion(topic)
	if !ok {
		return refuse(Malformed, "TopicArn")
	}
	if v.topics != nil && !slices.Contains(v.topics, topic) {
		return refuse(Mismatch, "TopicArn")
	}
	content, err := m.content()
	if err != nil {
		return err
	}
	encoded := m.text("Signature")
	signature, err := decodeBase64(encoded)
	if err != nil || encoded == "" {
		return refuse(Malformed, "Signature")
	}
	at, ok := parseTime(m.text("Timestamp"), "rfc3339")
	if !ok {
		return refuse(Malformed, "Timestamp")
	}
	certURL := m.text("SigningCertURL")
	if !isCertURL(certURL, region) {
		return refuse(Malformed, "SigningCertURL")
	}
	algorithm, digest := snsDigest(m.text("SignatureVersion"), content)
	if algorithm == 0 {
		return refuse(Malformed, "SignatureVersion")
	}
	signed := func(c *x509.Certificate) bool {
		key, ok := c.PublicKey.(*rsa.PublicKey)
		return ok && rsa.VerifyPKCS1v15(key, algorithm, digest, signature) == nil
	}
	if v.pinned != nil {
		err = v.pinned.match(ctx, "Signature", func(c *x509.Certificate) bool { return isCurrent(c, v.now()) && signed(c) })
	} else {
		var cert *x509.Certificate
		cert, err = v.certs.get(ctx, certURL, func(c *x509.Certificate) error { return namesSNS(c, region) })
		if err == nil && !signed(cert) {
			err = refuse(Mismatch, "Signature")
		}
	}
	if err != nil {
		return err
	}
	return fresh(v.now(), at, v.tolerance, "Timestamp")
}

// snsDigest returns the digest that a signature version covers; 0 for an unknown version.
func snsDigest(version, content string) (crypto.Hash, []byte) {
	switch version {
	case "1":
		sum := sha1.Sum([]byte(content)) //nolint:gosec // as the message says
		return crypto.SHA1, sum[:]
	case "2":
		sum := sha256.Sum256([]byte(content))
		return crypto.SHA256, sum[:]
	}
	return 0, nil
}

// content returns `Name LF value LF` for each signed field that is present.
func (m snsMessage) content() (string, error) {
	names, ok := snsFields[m.text("Type")]
	if !ok {
		return "", refuse(Malformed, "Type")
	}
	var b strings.Builder
	for _, name := range names {
		field := m[name]
		isText := len(field.raw) > 0 && field.raw[0] == '"'
		switch text, there := field.text(); {
		case name == "Subject" && there && text == "" && !isText:
			continue
		case !isText:
			return "", refuse(Missing, name)
		default:
			b.WriteString(name)
			b.WriteByte('\n')
			b.WriteString(text)
			b.WriteByte('\n')
		}
	}
	return b.String(), nil
}

// They are compiled when first used, because few functions have an SNS route, and
// compiling would slow down every cold start.
var (
	regionPattern = lazyPattern(`^[a-z]{2,4}(-[a-z]+)+-\d$`)
	snsIssuers    = lazyPattern(`^http://crt\.[a-z0-9]{1,16}\.amazontrust\.com/[a-z0-9]{1,16}\.cer$`)
	certPattern   = lazyPattern(`^/SimpleNotificationService-[0-9a-f]{1,64}\.pem$`)
)

func lazyPattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

func topicRegion(arn string) (string, bool) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "sns" || len(parts[3]) > 32 || !regionPattern().MatchString(parts[3]) {
		return "", false
	}
	return parts[3], true
}

// snsHost returns the host name of SNS in a region.
func snsHost(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "sns." + region + ".amazonaws.com.cn"
	case strings.HasPrefix(region, "eusc-"):
		return "sns." + region + ".amazonaws.eu"
	}
	return "sns." + region + ".amazonaws.com"
}

// isCertURL accepts the addresses of SNS in the topic's region, spelled as SNS spells
// them: any other address could serve the sender's own certificate.
func isCertURL(text, region string) bool {
	path, ok := strings.CutPrefix(text, "https://"+snsHost(region))
	return ok && len(text) <= 256 && certPattern().MatchString(path)
}

// namesSNS checks that the certificate belongs to SNS. The first regions share one name;
// later ones, GovCloud and China have their own.
func namesSNS(cert *x509.Certificate, region string) error {
	host := snsHost(region)
	tail := strings.TrimPrefix(host, "sns.")
	err := cert.VerifyHostname("sns.amazonaws.com")
	for _, name := range []string{host, "sns-" + tail, "sns-signing." + tail} {
		if err == nil {
			break
		}
		err = cert.VerifyHostname(name)
	}
	return err
}

// signSNS makes a notification of the body, or completes one.
func signSNS(s *signer, r *Request) error {
	keys, err := s.privateKeys()
	if err != nil {
		return err
	}
	message, err := bodyObject(r.Body)
	if err != nil || member(message, "Type") == nil {
		message = object{"Type": "Notification", "Message": string(r.Body)}
	}
	topic := "arn:aws:sns:us-east-1:123456789012:sample"
	if len(s.spec.Topics) > 0 && s.spec.Topics[0] != "any" {
		topic = s.spec.Topics[0]
	}
	for name, value := range map[string]any{"MessageId": s.digest(r.Body), "TopicArn": topic, "Message": ""} {
		if message[name] == nil {
			message[name] = value
		}
	}
	region, ok := topicRegion(topic)
	if !ok {
		return errors.New("TopicArn is not the ARN of a topic")
	}
	message["Timestamp"] = formatTime(s.now, "rfc3339")
	message["SignatureVersion"] = "2"
	message["SigningCertURL"] = "https://" + snsHost(region) + "/SimpleNotificationService-0.pem"
	text, err := encodeBody(message)
	if err != nil {
		return err
	}
	m, err := readSNS(text)
	if err != nil {
		return err
	}
	content, err := m.content()
	if err != nil {
		return errors.New("the message lacks fields that its type requires: " + err.Error())
	}
	signature, err := keys.sign("rsa-sha256", []byte(content))
	if err != nil {
		return err
	}
	message["Signature"] = base64.StdEncoding.EncodeToString(signature)
	s.out.Body, err = encodeBody(message)
	return err
}
