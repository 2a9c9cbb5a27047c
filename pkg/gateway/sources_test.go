package gateway_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/internal/sources/sourcetest"
	"github.com/expressway-dev/expressway/pkg/gateway"
)

func TestSources(t *testing.T) {
	t.Parallel()
	sourcetest.Hold(t, "pkg/gateway/gateway.go: a method that returns the handler", func(s sources.Source) error {
		name := strings.ToUpper(s.Function[:1]) + s.Function[1:]
		method, ok := reflect.TypeFor[*gateway.Gateway]().MethodByName(name)
		if !ok || !method.Type.Out(0).Implements(reflect.TypeFor[lambda.Handler]()) {
			return fmt.Errorf("a Gateway has no method %s that returns a handler", name)
		}
		return nil
	})
	alone := map[string]func(gateway.Options) (lambda.Handler, error){
		sources.Webhook: gateway.Webhook, sources.Queue: gateway.Queue, sources.Event: gateway.Event,
	}
	sourcetest.Hold(t, "pkg/gateway/gateway.go: a function for programs with one handler", func(s sources.Source) error {
		if alone[s.Function] == nil {
			return fmt.Errorf("%s has no row in this test", s.Function)
		}
		_, err := load(t, sourcetest.Config(s), nil, alone[s.Function])
		return err
	})
}
