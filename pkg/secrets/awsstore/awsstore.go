// Package awsstore gets secrets from SSM Parameter Store and AWS Secrets Manager for
// the cache of package secrets.
//
// Reading is repeated by the SDK as often as time allows: unlike a start, a second read
// does no harm. Errors name the reference's place, the service's code and the request;
// no answer's text gets into them.
package awsstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/pkg/secrets"
)

const (
	// attemptLimit bounds one request; secrets.FetchLimit leaves room for a second.
	attemptLimit = time.Second
	// maxAttempts and maxBackoff fit into that limit.
	maxAttempts = 3
	maxBackoff  = 200 * time.Millisecond
)

// Fetchers returns the fetchers of ssm: and secretsmanager: references, for AWS as
// Lambda's environment describes it. They look at it, and make their clients, when the
// first reference of their scheme is fetched; without region or credentials that fails.
func Fetchers(getenv func(string) string) map[secrets.Scheme]secrets.Fetcher {
	return map[secrets.Scheme]secrets.Fetcher{
		secrets.SSM: &parameters{client: sync.OnceValues(func() (*ssm.Client, error) {
			cfg, err := awsenv.Config(getenv, "SSM")
			if err != nil {
				return nil, err
			}
			return ssm.New(ssm.Options{
				Region: cfg.Region, Credentials: cfg.Credentials, BaseEndpoint: cfg.BaseEndpoint,
				HTTPClient: httpClient(), Retryer: retryer(),
				EndpointOptions: ssm.EndpointResolverOptions{
					UseFIPSEndpoint:      fips(getenv),
					UseDualStackEndpoint: dualStack(getenv),
				},
			}), nil
		})},
		secrets.SecretsManager: &versions{client: sync.OnceValues(func() (*secretsmanager.Client, error) {
			cfg, err := awsenv.Config(getenv, "SECRETS_MANAGER")
			if err != nil {
				return nil, err
			}
			return secretsmanager.New(secretsmanager.Options{
				Region: cfg.Region, Credentials: cfg.Credentials, BaseEndpoint: cfg.BaseEndpoint,
				HTTPClient: httpClient(), Retryer: retryer(),
				EndpointOptions: secretsmanager.EndpointResolverOptions{
					UseFIPSEndpoint:      fips(getenv),
					UseDualStackEndpoint: dualStack(getenv),
				},
			}), nil
		})},
	}
}

func httpClient() aws.HTTPClient { return awshttp.NewBuildableClient().WithTimeout(attemptLimit) }

func retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff = maxAttempts, maxBackoff
	})
}

func fips(getenv func(string) string) aws.FIPSEndpointState {
	if awsenv.FIPS(getenv) {
		return aws.FIPSEndpointStateEnabled
	}
	return aws.FIPSEndpointStateUnset
}

func dualStack(getenv func(string) string) aws.DualStackEndpointState {
	if awsenv.DualStack(getenv) {
		return aws.DualStackEndpointStateEnabled
	}
	return aws.DualStackEndpointStateUnset
}

// parameters fetches from SSM Parameter Store.
type parameters struct{ client func() (*ssm.Client, error) }

// Fetch implements [secrets.Fetcher] with GetParameter.
//
// [GetParameter]: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
func (p *parameters) Fetch(ctx context.Context, ref secrets.Reference) (secrets.Secret, error) {
	client, err := p.client()
	if err != nil {
		return secrets.Secret{}, err
	}
	out, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: &ref.Name, WithDecryption: aws.Bool(true)})
	if err != nil {
		return secrets.Secret{}, failure(ctx, err, ref)
	}
	if out.Parameter == nil {
		return secrets.Secret{}, errUnreadable
	}
	return secrets.New(aws.ToString(out.Parameter.Value)), nil
}

// versions fetches from Secrets Manager.
type versions struct {
	client func() (*secretsmanager.Client, error)
}

// Fetch implements [secrets.Fetcher] with GetSecretValue.
//
// [GetSecretValue]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func (v *versions) Fetch(ctx context.Context, ref secrets.Reference) (secrets.Secret, error) {
	client, err := v.client()
	if err != nil {
		return secrets.Secret{}, err
	}
	in := &secretsmanager.GetSecretValueInput{SecretId: &ref.Name}
	if ref.Stage != "" {
		in.VersionStage = &ref.Stage
	}
	out, err := client.GetSecretValue(ctx, in)
	if err != nil {
		return secrets.Secret{}, failure(ctx, err, ref)
	}
	if out.SecretString == nil {
		return secrets.New(string(out.SecretBinary)), nil
	}
	return secrets.New(*out.SecretString), nil
}

// errUnreadable is an answer that lacks what the operation promises.
var errUnreadable = errors.New("the answer cannot be read")

// failure names what became of a fetch, in words that hold no answer's text.
func failure(ctx context.Context, err error, ref secrets.Reference) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		if kind := kindOf(api, err, ref); kind != nil {
			return fmt.Errorf("%w: %s", kind, answer(api, err))
		}
		return errors.New(answer(api, err))
	}
	if ctx.Err() != nil {
		return fmt.Errorf("no answer in time: %w", ctx.Err())
	}
	var canceled *smithy.CanceledError
	var network net.Error
	var op *net.OpError
	switch {
	case errors.As(err, &op):
		return op
	case errors.As(err, &network) && network.Timeout(), errors.As(err, &canceled):
		return errors.New("no answer in time")
	case answered(err):
		return errUnreadable
	}
	return errors.New("the connection failed")
}

// kindOf tells errors that stay from those that pass (nil).
func kindOf(api smithy.APIError, err error, ref secrets.Reference) error {
	switch api.ErrorCode() {
	case "ParameterNotFound":
		return secrets.ErrMissing
	case "ParameterVersionNotFound", "ParameterVersionLabelNotFound":
		return secrets.ErrNoVersion
	case "ResourceNotFoundException":
		// The same code stands for a secret that is not there; what reads the current
		// version, too, tells.
		if ref.Stage != "" && ref.Stage != "AWSCURRENT" {
			return secrets.ErrNoVersion
		}
		return secrets.ErrMissing
	case "ExpiredTokenException", "ExpiredToken", "RequestExpired", "RequestTimeTooSkewed":
		return nil // of this process, not of the secret
	}
	for _, r := range retry.DefaultRetryables {
		if r.IsErrorRetryable(err) == aws.TrueTernary {
			return nil
		}
	}
	var response *awshttp.ResponseError
	if errors.As(err, &response) && (response.HTTPStatusCode() < 400 || response.HTTPStatusCode() >= 500) {
		return nil
	}
	return secrets.ErrDenied
}

func answered(err error) bool {
	var response *awshttp.ResponseError
	var decode *smithy.DeserializationError
	return errors.As(err, &response) || errors.As(err, &decode)
}

// answer is the service's code and the id by which AWS finds the request.
func answer(api smithy.APIError, err error) string {
	s := api.ErrorCode()
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.ServiceRequestID() != "" {
		s += " (request " + response.ServiceRequestID() + ")"
	}
	return s
}
