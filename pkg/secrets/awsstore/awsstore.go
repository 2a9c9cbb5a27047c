// Package awsstore gets secrets from SSM Parameter Store and AWS Secrets Manager for
// the cache of package secrets.
//
// Reads are repeated while time allows, because a second read does no harm, unlike a
// second start. Errors name the service's code and the request, and never contain the
// text of an answer.
package awsstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/expressway-dev/expressway/internal/awsjson"
	"github.com/expressway-dev/expressway/pkg/secrets"
)

// Fetchers returns the fetchers of ssm: and secretsmanager: references, for AWS as
// Lambda's environment describes it. They read the environment and make their clients
// when the first reference of their scheme is fetched; that fails without a region or
// credentials.
func Fetchers(getenv func(string) string) map[secrets.Scheme]secrets.Fetcher {
	client := func(s awsjson.Service) func() (*awsjson.Client, error) {
		return sync.OnceValues(func() (*awsjson.Client, error) { return awsjson.New(getenv, s) })
	}
	return map[secrets.Scheme]secrets.Fetcher{
		secrets.SSM:            parameters(client(awsjson.SSM)),
		secrets.SecretsManager: versions(client(awsjson.SecretsManager)),
	}
}

// parameters fetches from SSM Parameter Store.
type parameters func() (*awsjson.Client, error)

// Fetch implements [secrets.Fetcher] with GetParameter.
//
// [GetParameter]: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
func (p parameters) Fetch(ctx context.Context, ref secrets.Reference) (secrets.Secret, error) {
	client, err := p()
	if err != nil {
		return secrets.Secret{}, err
	}
	in := struct {
		Name           string
		WithDecryption bool
	}{ref.Name, true}
	var out struct {
		Parameter *struct{ Value string }
	}
	if err := client.Call(ctx, "GetParameter", in, &out); err != nil {
		return secrets.Secret{}, failure(err, ref)
	}
	if out.Parameter == nil {
		return secrets.Secret{}, awsjson.ErrUnreadable
	}
	return secrets.New(out.Parameter.Value), nil
}

// Create implements [secrets.Creator] with PutParameter.
//
// [PutParameter]: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
func (p parameters) Create(ctx context.Context, ref secrets.Reference, secret secrets.Secret) error {
	client, err := p()
	if err != nil {
		return err
	}
	in := struct {
		Name, Value, Type string
		Overwrite         bool
	}{ref.Name, secret.Reveal(), "SecureString", false}
	return created(client.Call(ctx, "PutParameter", in, &struct{}{}), ref)
}

// created distinguishes a secret that already exists from other failures.
func created(err error, ref secrets.Reference) error {
	var answer *awsjson.Error
	if errors.As(err, &answer) && (answer.Code == "ParameterAlreadyExists" || answer.Code == "ResourceExistsException") {
		return secrets.ErrExists
	}
	if err != nil {
		return failure(err, ref)
	}
	return nil
}

// versions fetches from Secrets Manager.
type versions func() (*awsjson.Client, error)

// Fetch implements [secrets.Fetcher] with GetSecretValue.
//
// [GetSecretValue]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func (v versions) Fetch(ctx context.Context, ref secrets.Reference) (secrets.Secret, error) {
	client, err := v()
	if err != nil {
		return secrets.Secret{}, err
	}
	in := struct {
		SecretID     string `json:"SecretId"`
		VersionStage string `json:",omitempty"`
	}{ref.Name, ref.Stage}
	var out struct {
		SecretString *string
		SecretBinary []byte // base64 in JSON
	}
	if err := client.Call(ctx, "GetSecretValue", in, &out); err != nil {
		return secrets.Secret{}, failure(err, ref)
	}
	if out.SecretString == nil {
		return secrets.New(string(out.SecretBinary)), nil
	}
	return secrets.New(*out.SecretString), nil
}

// Create implements [secrets.Creator] with CreateSecret.
//
// [CreateSecret]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
func (v versions) Create(ctx context.Context, ref secrets.Reference, secret secrets.Secret) error {
	client, err := v()
	if err != nil {
		return err
	}
	token := rand.Text() // what makes a repeated call the same one
	in := struct{ Name, SecretString, ClientRequestToken string }{ref.Name, secret.Reveal(), token + token[:8]}
	return created(client.Call(ctx, "CreateSecret", in, &struct{}{}), ref)
}

// failure distinguishes permanent errors from temporary ones.
func failure(err error, ref secrets.Reference) error {
	var answer *awsjson.Error
	if !errors.As(err, &answer) || answer.Passes() {
		return err
	}
	return fmt.Errorf("%w: %w", kind(answer.Code, ref), err)
}

func kind(code string, ref secrets.Reference) error {
	switch code {
	case "ParameterNotFound":
		return secrets.ErrMissing
	case "ParameterVersionNotFound", "ParameterVersionLabelNotFound":
		return secrets.ErrNoVersion
	case "ResourceNotFoundException":
		// The same code also means that the secret does not exist; a read of its current
		// version shows which of the two it is.
		if ref.Stage != "" && ref.Stage != "AWSCURRENT" {
			return secrets.ErrNoVersion
		}
		return secrets.ErrMissing
	case "ExpiredTokenException", "ExpiredToken", "RequestExpired", "RequestTimeTooSkewed":
		return errSession
	}
	return secrets.ErrDenied
}

// errSession concerns this process and not the secret, and so may be temporary.
var errSession = errors.New("the credentials of this environment have expired")
