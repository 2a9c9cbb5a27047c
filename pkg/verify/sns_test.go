package verify_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// A certificate authority of the tests: a root, one below it, and what it issues.
type authority struct {
	root, between *x509.Certificate
	key           *rsa.PrivateKey // of all of them
}

const issuerURL = "http://crt.r2m01.amazontrust.com/r2m01.cer"

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{key: testKeys().rsa}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Root"}, NotBefore: epoch.Add(-10000 * time.Hour),
		NotAfter: epoch.Add(100000 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.root = a.issue(t, template, template, a.key)
	template.SerialNumber, template.Subject = big.NewInt(2), pkix.Name{CommonName: "Between"}
	a.between = a.issue(t, template, a.root, a.key)
	return a
}

func (a *authority) issue(t testing.TB, template, parent *x509.Certificate, key *rsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(nil, template, parent, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func (a *authority) leaf(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	return a.issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: epoch.Add(-time.Hour), NotAfter: epoch.Add(1000 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IssuingCertificateURL: []string{issuerURL},
	}, a.between, testKeys().other)
}

func pemOf(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// A web answers Fetch, and records the addresses.
type web struct {
	mu    sync.Mutex
	pages map[string][]byte
	asked []string
}

func (w *web) fetch(_ context.Context, url string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, url)
	if page, ok := w.pages[url]; ok {
		return page, nil
	}
	return nil, fmt.Errorf("no answer from %s", url)
}

const (
	snsTopic   = "arn:aws:sns:eu-west-1:123456789012:orders"
	snsCertURL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
)

// snsMessage signs a message as SNS does.
func snsMessage(t testing.TB, version string, fields map[string]string) []byte {
	t.Helper()
	m := map[string]string{
		"Type": "Notification", "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b", "TopicArn": snsTopic,
		"Message": "{\"id\": 1}", "Timestamp": epoch.UTC().Format("2006-01-02T15:04:05.000Z"), "SignatureVersion": version, "SigningCertURL": snsCertURL,
	}
	maps.Copy(m, fields)
	var content strings.Builder
	for _, name := range []string{"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"} {
		if value, ok := m[name]; ok {
			content.WriteString(name + "\n" + value + "\n")
		}
	}
	algorithm, digest := crypto.SHA1, sha1Sum(content.String())
	if version == "2" {
		sum := sha256.Sum256([]byte(content.String()))
		algorithm, digest = crypto.SHA256, sum[:]
	}
	signature, err := rsa.SignPKCS1v15(nil, testKeys().other, algorithm, digest)
	if err != nil {
		t.Fatal(err)
	}
	m["Signature"] = base64.StdEncoding.EncodeToString(signature)
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func sha1Sum(s string) []byte { sum := sha1.Sum([]byte(s)); return sum[:] }

func TestSNSChain(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	good, evil := a.leaf(t, "sns.amazonaws.com"), newAuthority(t).root
	leaf := pemOf(good)
	roots := func(certs ...*x509.Certificate) *x509.CertPool {
		pool := x509.NewCertPool()
		for _, c := range certs {
			pool.AddCert(c)
		}
		return pool
	}
	elsewhere := a.issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(4), DNSNames: []string{"sns.amazonaws.com"}, NotBefore: epoch.Add(-time.Hour), NotAfter: epoch.Add(time.Hour),
		IssuingCertificateURL: []string{"http://169.254.169.254/latest/meta-data"},
	}, a.between, testKeys().other)
	tests := map[string]struct {
		pages map[string][]byte
		roots *x509.CertPool
		good  bool
		asked []string
	}{
		"no roots":                    {map[string][]byte{snsCertURL: leaf}, nil, true, []string{snsCertURL}},
		"chain served":                {map[string][]byte{snsCertURL: pemOf(good, a.between)}, roots(a.root), true, []string{snsCertURL}},
		"issuer fetched":              {map[string][]byte{snsCertURL: leaf, issuerURL: a.between.Raw}, roots(a.root), true, []string{snsCertURL, issuerURL}},
		"missing issuer":              {map[string][]byte{snsCertURL: leaf}, roots(a.root), false, []string{snsCertURL, issuerURL}},
		"issuer is not a certificate": {map[string][]byte{snsCertURL: leaf, issuerURL: []byte("x")}, roots(a.root), false, []string{snsCertURL, issuerURL}},
		"another's issuer":            {map[string][]byte{snsCertURL: leaf, issuerURL: evil.Raw}, roots(a.root), false, []string{snsCertURL, issuerURL}},
		"other roots":                 {map[string][]byte{snsCertURL: pemOf(good, a.between)}, roots(good), true, []string{snsCertURL}}, // the leaf itself is trusted
		"unknown roots":               {map[string][]byte{snsCertURL: pemOf(good, a.between)}, x509.NewCertPool(), false, []string{snsCertURL}},
		"issuer at any address":       {map[string][]byte{snsCertURL: pemOf(elsewhere)}, roots(a.root), false, []string{snsCertURL}},
		"another name":                {map[string][]byte{snsCertURL: pemOf(a.leaf(t, "s3.amazonaws.com"))}, nil, false, []string{snsCertURL}},
		"another region's name":       {map[string][]byte{snsCertURL: pemOf(a.leaf(t, "sns-signing.us-east-1.amazonaws.com"))}, nil, false, []string{snsCertURL}},
		"the region's name":           {map[string][]byte{snsCertURL: pemOf(a.leaf(t, "sns-signing.eu-west-1.amazonaws.com"))}, nil, true, []string{snsCertURL}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &web{pages: test.pages}
			v, err := verify.New(verify.Spec{Provider: "sns", Topics: verify.Topics{snsTopic}}, environment{}.source(), verify.Options{Now: clockAt(epoch), Fetch: w.fetch, Roots: test.roots})
			if err != nil {
				t.Fatal(err)
			}
			for _, version := range []string{"1", "2"} {
				err := v.Verify(t.Context(), &verify.Request{Body: snsMessage(t, version, nil)})
				if test.good != (err == nil) || err != nil && !errors.Is(err, verify.ErrSecrets) {
					t.Errorf("version %s: Verify = %v, want good = %v", version, err, test.good)
				}
			}
			if !slices.Equal(w.asked, test.asked) { // what cannot be had is not asked for again at once
				t.Errorf("fetched %q, want %q", w.asked, test.asked)
			}
		})
	}
}

func TestSNSRegions(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	for topic, test := range map[string]struct{ host, name string }{
		"arn:aws-cn:sns:cn-north-1:123456789012:t":        {"sns.cn-north-1.amazonaws.com.cn", "sns-cn-north-1.amazonaws.com.cn"},
		"arn:aws-us-gov:sns:us-gov-west-1:123456789012:t": {"sns.us-gov-west-1.amazonaws.com", "sns-us-gov-west-1.amazonaws.com"},
		"arn:aws-eusc:sns:eusc-de-east-1:123456789012:t":  {"sns.eusc-de-east-1.amazonaws.eu", "sns.eusc-de-east-1.amazonaws.eu"},
		"arn:aws:sns:ap-east-1:123456789012:t":            {"sns.ap-east-1.amazonaws.com", "sns-signing.ap-east-1.amazonaws.com"},
	} {
		address := "https://" + test.host + "/SimpleNotificationService-01.pem"
		w := &web{pages: map[string][]byte{address: pemOf(a.leaf(t, test.name))}}
		v, err := verify.New(verify.Spec{Provider: "sns", Topics: verify.Topics{topic}}, environment{}.source(), verify.Options{Now: clockAt(epoch), Fetch: w.fetch})
		if err != nil {
			t.Fatal(err)
		}
		checkReason(t, v, &verify.Request{Body: snsMessage(t, "2", map[string]string{"TopicArn": topic, "SigningCertURL": address})}, "")
		wrong := strings.Replace(address, test.host, map[bool]string{true: strings.TrimSuffix(test.host, ".cn"), false: test.host + ".cn"}[strings.HasSuffix(test.host, ".cn")], 1)
		checkReason(t, v, &verify.Request{Body: snsMessage(t, "2", map[string]string{"TopicArn": topic, "SigningCertURL": wrong})}, verify.Malformed)
	}
}

// Anyone can write the address of a certificate into a message, so no such address may make
// the function fetch without end.
func TestSNSFetchesAreFew(t *testing.T) {
	t.Parallel()
	leaf := pemOf(newAuthority(t).leaf(t, "sns.amazonaws.com"))
	invented := func(i int) map[string]string {
		return map[string]string{"SigningCertURL": fmt.Sprintf("https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-%032x.pem", i)}
	}
	w := &web{pages: map[string][]byte{snsCertURL: leaf}}
	now := epoch
	v, err := verify.New(verify.Spec{Provider: "sns", Topics: verify.Topics{"any"}}, environment{}.source(), verify.Options{Now: func() time.Time { return now }, Fetch: w.fetch})
	if err != nil {
		t.Fatal(err)
	}
	send := func(fields map[string]string) error {
		return v.Verify(t.Context(), &verify.Request{Body: snsMessage(t, "2", fields)})
	}
	for range 10 {
		if err := send(invented(0)); !errors.Is(err, verify.ErrSecrets) {
			t.Fatalf("Verify = %v, want no certificate", err)
		}
	}
	if len(w.asked) != 1 {
		t.Fatalf("one address was fetched %d times at once", len(w.asked))
	}
	now = now.Add(5 * time.Second)
	_ = send(invented(0))
	if len(w.asked) != 2 {
		t.Fatalf("after a pause an address was asked %d times, want 2", len(w.asked))
	}
	if err := send(nil); err != nil {
		t.Fatalf("Verify = %v amid requests for invented addresses", err)
	}
	for i := range 200 {
		if err := send(invented(i + 1)); !errors.Is(err, verify.ErrSecrets) {
			t.Fatalf("Verify = %v, want no certificate", err)
		}
	}
	if len(w.asked) != 16 {
		t.Errorf("%d fetches in a minute, want 16", len(w.asked))
	}
	if err := send(nil); err != nil {
		t.Errorf("Verify = %v with a certificate that is known, after many that are not", err)
	}
	now = now.Add(time.Minute)
	for i := range 200 {
		_ = send(invented(i + 1))
	}
	if len(w.asked) != 32 {
		t.Errorf("%d fetches in two minutes, want 32", len(w.asked))
	}
}

// Concurrent messages fetch their certificate once; if one caller gives up, the others are
// not affected.
func TestSNSFetchIsShared(t *testing.T) {
	t.Parallel()
	leaf := pemOf(newAuthority(t).leaf(t, "sns.amazonaws.com"))
	body := snsMessage(t, "2", nil)
	synctest.Test(t, func(t *testing.T) {
		fetches := 0
		v, err := verify.New(verify.Spec{Provider: "sns", Topics: verify.Topics{snsTopic}}, environment{}.source(), verify.Options{Now: clockAt(epoch), Fetch: func(ctx context.Context, _ string) ([]byte, error) {
			fetches++
			select {
			case <-time.After(time.Second):
				return leaf, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		hasty, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		results := make(chan error, 41)
		go func() { results <- v.Verify(hasty, &verify.Request{Body: body}) }()
		synctest.Wait()
		for range 40 {
			go func() { results <- v.Verify(t.Context(), &verify.Request{Body: body}) }()
		}
		if err := <-results; !errors.Is(err, verify.ErrSecrets) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Verify = %v for a caller with a short deadline", err)
		}
		for range 40 {
			if err := <-results; err != nil {
				t.Errorf("Verify = %v", err)
			}
		}
		if fetches != 2 {
			t.Errorf("%d fetches, want 2", fetches)
		}
	})
}
