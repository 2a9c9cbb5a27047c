package stepfn

import (
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// A bare name is a state machine of the function's own account and region.
func TestBareNames(t *testing.T) {
	t.Parallel()
	const whole = "arn:aws:states:eu-west-1:111122223333:stateMachine:orders"
	for title, test := range map[string]struct {
		invoked, sam, machine, want string
	}{
		"in Lambda":       {"arn:aws-cn:lambda:cn-north-1:111122223333:function:f:live", "", "orders", "arn:aws-cn:states:cn-north-1:111122223333:stateMachine:orders"},
		"outside":         {"", "", "orders", "arn:aws:states:us-east-1:123456789012:stateMachine:orders"},
		"an ARN":          {"", "", whole, whole},
		"not a name":      {"", "", "or ders", "or ders"},
		"under sam local": {"", "true", "OrderMachine", "OrderMachine"},
	} {
		c := New(Options{Region: "us-east-1", Getenv: func(name string) string {
			return map[string]string{"AWS_SAM_LOCAL": test.sam}[name]
		}})
		ctx := t.Context()
		if test.invoked != "" {
			ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{InvokedFunctionArn: test.invoked})
		}
		if got := c.resolve(ctx, test.machine); got != test.want {
			t.Errorf("%s: resolve(%q) = %q, want %q", title, test.machine, got, test.want)
		}
	}
}
