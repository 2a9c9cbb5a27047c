// Package s3put puts objects into Amazon S3. It signs and sends with the core of the SDK:
// the SDK's package for S3 would make every function a third larger for this one request.
package s3put

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/encoding/httpbinding"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/internal/awsjson"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Each attempt is bounded, and repeated while its failure may be temporary: putting an
// object twice leaves only one.
const (
	attemptLimit = 5 * time.Second
	maxAttempts  = 3
	maxWait      = 300 * time.Millisecond
)

var service = awsjson.Service{Name: "s3", Variable: "S3"}

// A Client implements [bridge.Offloader]. It reads the environment at the first call. It is
// safe for concurrent use.
type Client struct {
	getenv func(string) string
	config func() (aws.Config, error)
	http   aws.HTTPClient
}

var _ bridge.Offloader = (*Client)(nil)

// New returns the Client of Lambda's environment (see internal/awsenv), with
// AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL as another endpoint, whose buckets are in the path.
func New(getenv func(string) string) *Client {
	return &Client{
		getenv: getenv, http: awshttp.NewBuildableClient().WithTimeout(attemptLimit),
		config: sync.OnceValues(func() (aws.Config, error) { return awsenv.Config(getenv, service.Variable) }),
	}
}

// Put implements [bridge.Offloader] with [PutObject].
//
// [PutObject]: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
func (c *Client) Put(ctx context.Context, o bridge.Object) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(o.Body)
	for n := 1; ; n++ {
		again, err := c.put(ctx, cfg, o, hex.EncodeToString(sum[:]))
		if err == nil || !again || n == maxAttempts || ctx.Err() != nil {
			return err
		}
		wait := time.NewTimer(rand.N(maxWait))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return err
		}
	}
}

// put sends one request. Again reports that its failure may be temporary.
func (c *Client) put(ctx context.Context, cfg aws.Config, o bridge.Object, sum string) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, c.url(cfg, o), bytes.NewReader(o.Body))
	if err != nil {
		return false, errors.New("the bucket and the key do not form a URL")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Amz-Content-Sha256", sum)
	if o.KMSKey != "" {
		req.Header.Set("X-Amz-Server-Side-Encryption", "aws:kms")
		req.Header.Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", o.KMSKey)
	}
	keys, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return false, err
	}
	// The signature's time is the real one: the service compares it with its own.
	err = v4.NewSigner().SignHTTP(ctx, keys, req, sum, service.Name, cfg.Region, time.Now(), func(s *v4.SignerOptions) { s.DisableURIPathEscaping = true })
	if err != nil {
		return false, errors.New("the request cannot be signed")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return true, explain(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // the status says whether it was taken
	if resp.StatusCode == http.StatusOK {
		return false, nil
	}
	reason := resp.Status
	_, code, _ := strings.Cut(string(answer), "<Code>")
	if code, _, found := strings.Cut(code, "</Code>"); found && len(code) < 64 {
		reason += " " + code // the rest of S3's XML may quote the request
	}
	if resp.StatusCode/100 == 3 {
		reason += ": the bucket is in another region than the function"
	}
	return resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests, errors.New("S3 answers " + reason)
}

// url has the bucket in the host where its name allows that, and the endpoint is AWS's own.
func (c *Client) url(cfg aws.Config, o bridge.Object) string {
	// The signature covers the path with all but unreserved characters escaped.
	path := httpbinding.EscapePath("/"+o.Key, false)
	base := aws.ToString(cfg.BaseEndpoint)
	if base == "" {
		host := awsjson.Host(service, cfg.Region, awsenv.FIPS(c.getenv), false)
		if awsenv.DualStack(c.getenv) {
			name, rest, _ := strings.Cut(host, ".")
			host = name + ".dualstack." + rest
		}
		if !strings.Contains(o.Bucket, ".") {
			return "https://" + o.Bucket + "." + host + path
		}
		base = "https://" + host
	}
	return strings.TrimRight(base, "/") + "/" + o.Bucket + path
}

// explain returns the informative part of a failure, without the URL.
func explain(ctx context.Context, err error) error {
	var op *net.OpError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("no answer in time: %w", context.Cause(ctx))
	case errors.As(err, &op):
		return op
	}
	var within *url.Error
	if errors.As(err, &within) {
		err = within.Err
	}
	return fmt.Errorf("the request failed: %w", err)
}
