package config_test

import (
	"fmt"

	"github.com/expressway-dev/expressway/pkg/config"
)

// Everything that is wrong in a file is reported at once, each problem with its place.
func ExampleParse() {
	source := []byte(`version: 1
routes:
  - name: orders
    sqs: orders
    start: orders
    fliter: '{% $message.body.total > 0 %}'
    input: '{% $message.boddy %}'
`)
	_, err := config.Parse("expressway.yaml", source)
	fmt.Println(err)
	// Output:
	// expressway.yaml:6:5: a route has no key "fliter"; did you mean "filter"?
	// expressway.yaml:7:25: input: $message has no boddy; did you mean body?
}

// The variables of a file are those of the process.
func ExampleLoad() {
	cfg, err := config.Load("../../expressway.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	route := cfg.Routes[0]
	fmt.Println(route.Name, route.Source(), route.StateMachine)
	// Output: github http github
}

// A function needs the variables of its own routes only.
func ExampleOptions_Parse() {
	source := []byte(`version: 1
routes:
  - {name: hook, http: POST /hook, verify: none, start: "${HOOK_MACHINE_ARN}"}
  - {name: orders, sqs: orders, start: "${ORDERS_MACHINE:-orders}"}
`)
	cfg, err := config.Options{Getenv: func(string) string { return "" }, Only: config.SourceSQS}.Parse("expressway.yaml", source)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range cfg.Routes {
		fmt.Println(r.Name, r.StateMachine, r.SQS.Takes("arn:aws:sqs:eu-west-1:123456789012:orders"))
	}
	// Output: orders orders true
}
