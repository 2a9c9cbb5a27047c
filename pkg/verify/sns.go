package verify

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // SignatureVersion 1
	"crypto/sha256"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// sns is https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html.
type sns struct {
	topics    []string // nil = any
	certs     *snsCerts
	now       func() time.Time
	tolerance time.Duration
}

// The fields that are signed, by the message's type, in the order of their names.
var snsFields = map[string][]string{
	"Notification":             {"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"},
	"SubscriptionConfirmation": {"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"},
	"UnsubscribeConfirmation":  {"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"},
}

var errNoFetch = errors.New("verify.provider: sns needs certificates, and nothing here fetches them")

func (b *builder) newSNS() (Verifier, error) {
	if b.fetch == nil {
		return nil, errNoFetch
	}
	v := &sns{certs: newSNSCerts(b), now: b.now, tolerance: b.tolerance()}
	if !slices.Equal(b.spec.Topics, Topics{"any"}) {
		v.topics = b.spec.Topics
	}
	return v, nil
}

func (*sns) Headers() []string { return nil }

func (v *sns) Verify(ctx context.Context, r *Request) error {
	body, err := bodyObject(r.Body)
	if err != nil {
		return err
	}
	// The topic comes first: it is not proven yet, but a sender who does not know
	// it must not make us fetch anything.
	topic, _ := member(body, "TopicArn").(string)
	region, ok := topicRegion(topic)
	if !ok {
		return refuse(Malformed, "TopicArn")
	}
	if v.topics != nil && !slices.Contains(v.topics, topic) {
		return refuse(Mismatch, "TopicArn")
	}
	content, err := snsContent(body)
	if err != nil {
		return err
	}
	encoded, _ := member(body, "Signature").(string)
	signature, err := decodeBase64(encoded)
	if err != nil || encoded == "" {
		return refuse(Malformed, "Signature")
	}
	sentAt, _ := member(body, "Timestamp").(string)
	at, ok := parseTime(sentAt, "rfc3339")
	if !ok {
		return refuse(Malformed, "Timestamp")
	}
	version, _ := member(body, "SignatureVersion").(string)
	certURL, _ := member(body, "SigningCertURL").(string)
	if !isCertURL(certURL, region) {
		return refuse(Malformed, "SigningCertURL")
	}
	algorithm, digest := snsDigest(version, content)
	if algorithm == 0 {
		return refuse(Malformed, "SignatureVersion")
	}
	cert, err := v.certs.get(ctx, certURL, region)
	if err != nil {
		return err
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || rsa.VerifyPKCS1v15(key, algorithm, digest, signature) != nil {
		return refuse(Mismatch, "Signature")
	}
	return fresh(v.now(), at, v.tolerance, "Timestamp")
}

// snsDigest is what a version of signatures is over; 0 for one that is not known.
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

// snsContent is `Name LF value LF` for each signed field that is there.
func snsContent(body object) (string, error) {
	kind, _ := member(body, "Type").(string)
	names, ok := snsFields[kind]
	if !ok {
		return "", refuse(Malformed, "Type")
	}
	var b strings.Builder
	for _, name := range names {
		value := member(body, name)
		s, ok := value.(string)
		switch {
		case value == nil && name == "Subject":
			continue
		case !ok:
			return "", refuse(Missing, name)
		}
		b.WriteString(name)
		b.WriteByte('\n')
		b.WriteString(s)
		b.WriteByte('\n')
	}
	return b.String(), nil
}

// Compiled when first used: few functions have a route of SNS, and each starts cold.
var (
	regionPattern = lazyPattern(`^[a-z]{2,4}(-[a-z]+)+-\d$`)
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

// snsHost is the address of SNS in a region.
func snsHost(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "sns." + region + ".amazonaws.com.cn"
	case strings.HasPrefix(region, "eusc-"):
		return "sns." + region + ".amazonaws.eu"
	}
	return "sns." + region + ".amazonaws.com"
}

// isCertURL allows the addresses of SNS in the topic's region, spelled as SNS
// spells them: anything else could name a certificate of the sender's own.
func isCertURL(text, region string) bool {
	path, ok := strings.CutPrefix(text, "https://"+snsHost(region))
	return ok && len(text) <= 256 && certPattern().MatchString(path)
}
