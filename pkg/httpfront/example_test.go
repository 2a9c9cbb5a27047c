package httpfront_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/secrets"
)

// A request that API Gateway delivers, and the answer that a workflow's failure becomes.
func Example() {
	cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("expressway.yaml", []byte(`version: 1
routes:
  - name: orders
    http: GET /orders/{id}
    verify: none
    start: orders
    catch: [{errors: [OrderNotFound], status: 404, body: {message: '{% $failure.cause %}'}}]
`))
	if err != nil {
		panic(err)
	}
	b := bridge.New(bridgetest.Fail("OrderNotFound", "no order 7"), bridge.Options{})
	front, err := httpfront.New(cfg.Routes, b, secrets.NewSource(secrets.Options{}), httpfront.Options{})
	if err != nil {
		panic(err)
	}
	answer, err := front.Invoke(context.Background(), []byte(`{
		"version": "2.0", "rawPath": "/orders/7",
		"requestContext": {"requestId": "r-1", "http": {"method": "GET", "path": "/orders/7"}}}`))
	if err != nil {
		panic(err)
	}
	var response struct {
		StatusCode int
		Body       string
	}
	fmt.Println(json.Unmarshal(answer, &response), response.StatusCode, response.Body)
	// Output: <nil> 404 {"message":"no order 7"}
}
