package deployed

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/internal/sources/sourcetest"
)

// The sources of the layer's functions: what a function of another kind needs is not known.
func TestSources(t *testing.T) {
	t.Parallel()
	function := func(s sources.Source) *Function {
		return &Function{ID: "F", InvokesRead: true, GetFunctionConfigurationOutput: &lambda.GetFunctionConfigurationOutput{Handler: aws.String(s.Function)}}
	}
	sourcetest.Hold(t, "internal/deployed/routes.go: the routes of a function", func(s sources.Source) error {
		if got := function(s).source(); string(got) != s.Key {
			return fmt.Errorf("its function is mistaken for one of %q", got)
		}
		return nil
	})
	sourcetest.Hold(t, "internal/deployed/check.go: where failed deliveries go", func(s sources.Source) error {
		var found []Finding
		function(s).checkInvokes(collect(&found))
		switch s.Key {
		case sources.HTTP, sources.SQS: // called synchronously
			if len(found) > 0 {
				return fmt.Errorf("findings %v", found)
			}
		default:
			if len(found) != 1 {
				return fmt.Errorf("findings %v, want one about the on-failure destination", found)
			}
		}
		return nil
	})
}
