package gateway_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/eventbridge"
	"github.com/expressway-dev/expressway/pkg/gateway"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/metrics"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// What a program leaves out is a default or an error, in each package that it may enter by.
func TestNil(t *testing.T) {
	t.Parallel()
	routes := append(routesInGo(), nil)
	works := bridgetest.Succeed(`{}`)
	source := secrets.NewSource(secrets.Options{})
	errs := map[string]func() error{
		"httpfront: a nil source": func() error {
			_, err := httpfront.New(nil, bridge.New(works, bridge.Options{}), nil, httpfront.Options{})
			return err
		},
		"httpfront: a nil bridge": func() error {
			_, err := httpfront.New(nil, nil, source, httpfront.Options{})
			return err
		},
		"httpfront: a nil route": func() error {
			_, err := httpfront.New(routes, bridge.New(works, bridge.Options{}), source, httpfront.Options{})
			return err
		},
		"verify: a nil source": func() error {
			_, err := verify.New(verify.Spec{Provider: "github", Secrets: []string{"env:S"}}, nil, verify.Options{})
			return err
		},
		"gateway: a nil route": func() error {
			_, err := gateway.New(gateway.Options{Routes: routes, Starter: works})
			return err
		},
		"jsonata: a bad expression": func() error {
			_, err := jsonata.Compile("(")
			return err
		},
		"config: a variable that is not set": func() error {
			_, err := config.Parse("x.yaml", []byte("version: ${EXPRESSWAY_NOT_SET}"))
			return err
		},
	}
	for name, make := range errs {
		if err := make(); err == nil {
			t.Errorf("%s does not return an error", name)
		}
	}
	front, err := httpfront.New(routesInGo(), bridge.New(nil, bridge.Options{}), source, httpfront.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		handler lambda.Handler
		event   string
	}{
		"a front whose bridge has no Starter": {front, request},
		"a batch without a bridge":            {sqsbatch.New(routes, nil, sqsbatch.Options{}), batch},
		"events without a bridge":             {eventbridge.New(routes, nil, eventbridge.Options{}), event},
	} {
		out, err := test.handler.Invoke(t.Context(), []byte(test.event))
		said := string(out) + errText(err)
		if strings.Contains(said, bridge.Internal) || !strings.Contains(said, bridge.Misconfigured) && !strings.Contains(said, "m-1") {
			t.Errorf("%s: %s, want %s, or the record back", name, said, bridge.Misconfigured)
		}
	}
	w := metrics.New(metrics.Options{})
	w.Rejected(t.Context(), "r", "http", bridge.BadRequest)
	if n := jsonata.MustCompile("1+1").With(jsonata.Options{}); n == nil {
		t.Error("an expression without options is nil")
	}
}
