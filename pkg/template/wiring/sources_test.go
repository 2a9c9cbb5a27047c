package wiring_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/internal/sources/sourcetest"
	"github.com/expressway-dev/expressway/pkg/template"
	"github.com/expressway-dev/expressway/pkg/template/wiring"
)

// unfed are events of a function, none of which is for the route of sourcetest, and the
// rule of the finding that says so.
var unfed = map[string]struct{ events, rule string }{
	sources.HTTP:        {"{A: {Type: HttpApi, Properties: {Path: /other, Method: POST}}}", "door-missing"},
	sources.SQS:         {"{}", "queue-without-mapping"},
	sources.EventBridge: {"{A: {Type: EventBridgeRule, Properties: {Pattern: {source: [other]}}}}", "event-without-rule"},
}

func TestSources(t *testing.T) {
	t.Parallel()
	sourcetest.Hold(t, "pkg/template/wiring/check.go: a route that nothing feeds", func(s sources.Source) error {
		test, ok := unfed[s.Key]
		if !ok {
			return fmt.Errorf("no rule finds one of the key %s", s.Key)
		}
		dir := t.TempDir()
		text := `Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Runtime: provided.al2023, Handler: ` + s.Function + `, CodeUri: ., Events: ` + test.events + `}
`
		tpl, err := template.New(filepath.Join(dir, "template.yaml"), []byte(text), template.Options{Deployed: true})
		if err != nil {
			return err
		}
		routes, err := wiring.NewConfiguration(filepath.Join(dir, "expressway.yaml"), []byte(sourcetest.Config(s)))
		if err != nil {
			return err
		}
		findings := wiring.Check(tpl, routes, nil)
		if !slices.ContainsFunc(findings, func(f wiring.Finding) bool { return f.Rule == test.rule }) {
			return fmt.Errorf("no finding is %s: %v", test.rule, findings)
		}
		return nil
	})
}
