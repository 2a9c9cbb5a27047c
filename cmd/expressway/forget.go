package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/internal/awserr"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/dedupe"
	"github.com/expressway-dev/expressway/pkg/gateway"
)

type forgetCommand struct {
	Route  string `arg:"" help:"The name of the route."`
	Key    string `arg:"" help:"The result of dedupe.key for the delivery: text as it is, any other value as JSON."`
	Table  string `placeholder:"NAME" help:"The DynamoDB table (default: $EXPRESSWAY_DEDUPE_TABLE)."`
	Body   string `placeholder:"FILE" help:"The delivery's body. It is required if it is part of the key, because the sender does not sign its delivery id."`
	Force  bool   `help:"Free the key even while an execution may be running for it."`
	DryRun bool   `help:"Only show the stored record."`
}

// Run frees a dedupe key, so that the delivery runs when it is sent again, and shows what
// was stored under it.
func (c *forgetCommand) Run(ctx context.Context, p *program) error {
	table := c.Table
	if table == "" {
		table = p.getenv(gateway.DedupeTable)
	}
	if table == "" {
		return errors.New("no table: pass --table, or set " + gateway.DedupeTable)
	}
	key, err := c.key()
	if err != nil {
		return err
	}
	getenv, err := awsEnvironment(ctx, p.getenv)
	if err != nil {
		return err
	}
	store, err := dedupe.NewDynamoDB(table, getenv, nil)
	if err != nil {
		return err
	}
	item, found, err := store.Look(ctx, key)
	if err != nil {
		if err = awserr.Explain(err); errors.Is(err, awserr.ErrNotFound) {
			return fmt.Errorf("there is no table %s in %s: %w", table, awsenv.First(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION")), err)
		}
		return fmt.Errorf("read the table %s: %w", table, err)
	}
	if !found {
		return fmt.Errorf("nothing is stored for route %s and this key (%s)", c.Route, key)
	}
	fmt.Fprint(p.stdout, describeItem(key, item))
	switch {
	case c.DryRun:
		return nil
	case item.Live(time.Now()) && !c.Force:
		return fmt.Errorf("an execution may be running for this key until %s: wait, or pass --force and risk a second execution at the same time", shownTime(item.Until))
	}
	if err := store.Forget(ctx, key, item); err != nil {
		return fmt.Errorf("free the key: %w", awserr.Explain(err))
	}
	_, err = fmt.Fprintln(p.stdout, "freed: the delivery runs when it is sent again")
	return err
}

// key returns the id of the record.
func (c *forgetCommand) key() (string, error) {
	key := []byte(c.Key)
	if c.Body != "" {
		body, err := os.ReadFile(c.Body)
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256(body)
		key = append(append(key, 0), hex.EncodeToString(sum[:])...)
	}
	return bridge.DedupeRecord(c.Route, key), nil
}

func describeItem(key string, item dedupe.Item) string {
	text := "id         " + key + "\n"
	if item.Completed {
		text += "status     completed, remembered until " + shownTime(item.Expires) + "\n"
		return text + "answer     " + string(item.Answer) + "\n"
	}
	return text + "status     in progress, until " + shownTime(item.Until) + "\n"
}

func shownTime(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return t.UTC().Format(time.RFC3339)
}

// errNoCredentials is returned where no credentials are found anywhere.
var errNoCredentials = errors.New("no AWS credentials were found: sign in (aws sso login, or aws configure), name a profile with AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")

// awsEnvironment resolves region and credentials as all AWS tools do (environment,
// profiles, SSO), and returns them as the environment that the functions' clients read.
func awsEnvironment(ctx context.Context, getenv func(string) string) (func(string) string, error) {
	if getenv("AWS_ACCESS_KEY_ID") != "" && getenv("AWS_REGION") != "" {
		return getenv, nil
	}
	// Without this, the SDK would log each place where it finds no credentials.
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}))
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration: %w: correct AWS_PROFILE or ~/.aws/config", err)
	}
	keys, err := cfg.Credentials.Retrieve(ctx)
	var last *smithy.OperationError
	switch {
	case errors.As(err, &last) && last.Service() == "ec2imds": // the last place where the SDK looks
		return nil, errNoCredentials
	case err != nil:
		return nil, fmt.Errorf("%w: %w", awserr.ErrCredentials, err)
	}
	known := map[string]string{
		"AWS_REGION": cfg.Region, "AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey,
		"AWS_SESSION_TOKEN": keys.SessionToken,
	}
	return func(name string) string {
		if v := known[name]; v != "" {
			return v
		}
		return getenv(name)
	}, nil
}
