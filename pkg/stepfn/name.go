package stepfn

import (
	"context"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// devAccount is the account in which names are resolved outside Lambda: that of the local
// Step Functions.
const devAccount = "123456789012"

// resolve turns a state machine's bare name into an ARN, in the region and account that
// the invoked function's ARN names. Under `sam local`, a bare name is usually the remains
// of a !Ref; it is left for check to explain.
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
