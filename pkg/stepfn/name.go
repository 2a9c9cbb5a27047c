package stepfn

import (
	"context"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// devAccount is the account of names that are resolved outside Lambda: the one of
// the local Step Functions.
const devAccount = "123456789012"

// resolve makes an ARN of a state machine's bare name: in the region and account
// of the invoked function, which its ARN tells. Under `sam local` a bare name is
// most often what is left of a !Ref, and stays as it is, for check to explain.
func (c *Client) resolve(ctx context.Context, machine string) string {
	if machine == "" || strings.Contains(machine, ":") || c.opts.Getenv("AWS_SAM_LOCAL") == "true" || badName(machine) != "" {
		return machine
	}
	partition, region, account := "aws", c.opts.Region, devAccount
	if region == "" {
		region = "us-east-1"
	}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		// arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME
		if parts := strings.Split(lc.InvokedFunctionArn, ":"); len(parts) >= 7 && parts[2] == "lambda" {
			partition, region, account = parts[1], parts[3], parts[4]
		}
	}
	return "arn:" + partition + ":states:" + region + ":" + account + ":stateMachine:" + machine
}
