// Package awsjson calls the few operations that the functions need from services that use
// AWS JSON: SSM, Secrets Manager, DynamoDB, SQS, Step Functions.
//
// It signs and sends with the core of the SDK, and keeps the services' own packages out
// of the functions: those build the schemas of all their operations before main begins,
// which for SSM and DynamoDB takes as long as the rest of a cold start. The tests compare
// it with them, request by request and endpoint by endpoint.
//
// Only operations that may be sent again belong here: [Client.Call] repeats a request
// after every failure that may be temporary. [Client.Once] leaves that to its caller.
package awsjson

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/expressway-dev/expressway/internal/awsenv"
)

const (
	// attemptLimit bounds one request with its answer, maxAttempts how often it is sent.
	attemptLimit = time.Second
	maxAttempts  = 3
	// maxWait bounds the wait before another attempt, which is random.
	maxWait = 200 * time.Millisecond
	// maxAnswer bounds an answer in bytes: the largest is a DynamoDB item of 400 KiB in
	// JSON's longest escapes.
	maxAnswer = 4 << 20
)

// A Service describes a service on the wire.
type Service struct {
	// Name is used in the host and in the signature, Variable in AWS_ENDPOINT_URL_….
	Name, Variable string
	// Target precedes the operation in X-Amz-Target; Version is the version of AWS JSON.
	Target, Version string
}

// The services.
var (
	SSM            = Service{"ssm", "SSM", "AmazonSSM", "1.1"}
	SecretsManager = Service{"secretsmanager", "SECRETS_MANAGER", "secretsmanager", "1.1"}
	DynamoDB       = Service{"dynamodb", "DYNAMODB", "DynamoDB_20120810", "1.0"}
	SQS            = Service{"sqs", "SQS", "AmazonSQS", "1.0"}
	StepFunctions  = Service{"states", "SFN", "AWSStepFunctions", "1.0"}
)

// A Client calls operations of one service. It is safe for concurrent use.
type Client struct {
	service   Service
	region    string
	endpoint  string // that of the region, or custom
	custom    string // AWS_ENDPOINT_URL_…, or empty
	fips      bool
	dualStack bool
	keys      aws.CredentialsProvider
	signer    *v4.Signer
	http      aws.HTTPClient
}

// New returns a client for AWS as Lambda's environment describes it; see
// [awsenv.Config]. It sends nothing.
func New(getenv func(string) string, s Service) (*Client, error) {
	cfg, err := awsenv.Config(getenv, s.Variable)
	if err != nil {
		return nil, err
	}
	c := &Client{
		service: s, custom: aws.ToString(cfg.BaseEndpoint), keys: cfg.Credentials,
		fips: awsenv.FIPS(getenv), dualStack: awsenv.DualStack(getenv),
		signer: v4.NewSigner(), http: awshttp.NewBuildableClient().WithTimeout(attemptLimit),
	}
	return c.In(cfg.Region), nil
}

// In returns the client for another region, which shares the connections of c. A custom
// endpoint serves every region.
func (c *Client) In(region string) *Client {
	in := *c
	in.region, in.endpoint = region, c.custom
	if in.endpoint == "" {
		in.endpoint = "https://" + Host(c.service, region, c.fips, c.dualStack)
	}
	return &in
}

// Endpoint returns the URL that the client sends to.
func (c *Client) Endpoint() string { return c.endpoint }

// An Error is an error response of the service. Its text has the code and the request's
// id, and nothing else from the answer, which may quote the request.
type Error struct {
	// Code is the service's, such as AccessDeniedException; empty if it named none.
	Code   string
	Status int
	// RequestID finds the request at AWS.
	RequestID string
	// Body is the whole answer.
	Body []byte
}

func (e *Error) Error() string {
	s := e.Code
	if s == "" {
		s = fmt.Sprintf("status %d", e.Status)
	}
	if e.RequestID != "" {
		s += " (request " + e.RequestID + ")"
	}
	return s
}

// ErrorCode returns the service's code.
func (e *Error) ErrorCode() string { return e.Code }

// ErrorMessage returns the service's message, or "" if the answer has none.
func (e *Error) ErrorMessage() string {
	var body struct{ Message string } // matches message too
	_ = json.Unmarshal(e.Body, &body)
	return body.Message
}

// passing lists the codes of a 4xx that may be temporary.
var passing = map[string]bool{
	"Throttling": true, "ThrottlingException": true, "ThrottledException": true, "RequestThrottledException": true,
	"RequestThrottled": true, "TooManyRequestsException": true, "RequestLimitExceeded": true, "SlowDown": true,
	"ProvisionedThroughputExceededException": true, "BandwidthLimitExceeded": true, "PriorRequestNotComplete": true,
	"TransactionInProgressException": true, "LimitExceededException": true, "EC2ThrottledException": true,
	"RequestTimeout": true, "RequestTimeoutException": true,
}

// Passes reports whether the failure may be temporary.
func (e *Error) Passes() bool {
	return e.Status < 400 || e.Status >= 500 || e.Status == http.StatusRequestTimeout ||
		e.Status == http.StatusTooManyRequests || passing[e.Code]
}

// ErrUnreadable means that an answer was cut off, or is not what the operation promises.
var ErrUnreadable = errors.New("the answer cannot be read")

// Call sends in to the operation and decodes the answer into out, both in the JSON form
// of the operation's documentation. It is repeated while its failure may be temporary and
// ctx leaves time. The error is an [*Error] if the service answered.
func (c *Client) Call(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return errors.New("the request cannot be encoded") // json's error may quote it
	}
	for n := 1; ; n++ {
		err := c.send(ctx, operation, body, out)
		var answer *Error
		if err == nil || ctx.Err() != nil || n == maxAttempts || errors.As(err, &answer) && !answer.Passes() {
			return explain(ctx, err)
		}
		wait := time.NewTimer(rand.N(maxWait))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return explain(ctx, err)
		}
	}
}

// Once is Call without repetitions. With an error, unsent reports that no byte of the
// request can have reached the service.
func (c *Client) Once(ctx context.Context, operation string, in, out any) (unsent bool, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return true, errors.New("the request cannot be encoded") // json's error may quote it
	}
	err = c.send(ctx, operation, body, out)
	var dns *net.DNSError
	var op *net.OpError
	unsent = errors.As(err, &dns) || errors.As(err, &op) && op.Op == "dial"
	return unsent, explain(ctx, err)
}

func (c *Client) send(ctx context.Context, operation string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return errors.New("the endpoint is not a URL")
	}
	if req.URL.Path == "" {
		req.URL.Path = "/"
	}
	req.Header.Set("Content-Type", "application/x-amz-json-"+c.service.Version)
	req.Header.Set("X-Amz-Target", c.service.Target+"."+operation)
	credentials, err := c.keys.Retrieve(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	// The signature's time is the real one: the service compares it with its own.
	if err := c.signer.SignHTTP(ctx, credentials, req, hex.EncodeToString(sum[:]), c.service.Name, c.region, time.Now()); err != nil {
		return errors.New("the request cannot be signed")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return err
	}
	if len(answer) > maxAnswer {
		return ErrUnreadable
	}
	if resp.StatusCode != http.StatusOK {
		return &Error{Code: code(resp, answer), Status: resp.StatusCode, RequestID: resp.Header.Get("X-Amzn-Requestid"), Body: answer}
	}
	if json.Unmarshal(answer, out) != nil {
		return ErrUnreadable // json's error may quote it
	}
	return nil
}

// code returns the error's name: the header, or __type, each with an optional namespace
// before it and URL after it.
func code(resp *http.Response, body []byte) string {
	name := resp.Header.Get("X-Amzn-Errortype")
	if name == "" {
		var doc struct {
			Type string `json:"__type"`
			Code string `json:"code"`
		}
		_ = json.Unmarshal(body, &doc) // a proxy's answer has none
		name = awsenv.First(doc.Type, doc.Code)
	}
	name, _, _ = strings.Cut(name, ":")
	return name[strings.LastIndexByte(name, '#')+1:]
}

// explain returns the informative part of a failure, without the URL.
func explain(ctx context.Context, err error) error {
	var answer *Error
	var op *net.OpError
	var network net.Error
	switch {
	case err == nil, errors.As(err, &answer), errors.Is(err, ErrUnreadable):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("no answer in time: %w", context.Cause(ctx))
	case errors.As(err, &op):
		return op
	case errors.As(err, &network) && network.Timeout():
		return errors.New("no answer in time")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection was closed without an answer")
	}
	var within *url.Error
	if errors.As(err, &within) {
		err = within.Err
	}
	return fmt.Errorf("the request failed: %w", err)
}
