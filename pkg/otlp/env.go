package otlp

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// The variables of OpenTelemetry that [FromEnv] reads.
//
// [Variables]: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
const (
	// endpointName is the collector's URL, to which /v1/traces is added.
	endpointName = "OTEL_EXPORTER_OTLP_ENDPOINT"
	// tracesName is the whole URL for traces; it takes precedence.
	tracesName = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	// serviceName names the service; by default it is the function's name.
	serviceName = "OTEL_SERVICE_NAME"
	// samplerName is parentbased_always_on, the default, which records what X-Ray samples;
	// always_on, which a function without active tracing needs; or always_off.
	samplerName = "OTEL_TRACES_SAMPLER"
	// disabledName turns the exporter off if it is "true".
	disabledName = "OTEL_SDK_DISABLED"
)

// FromEnv returns the Exporter that the environment configures, which also notifies next.
// It returns nil if the environment configures none.
func FromEnv(getenv func(string) string, next bridge.Observer) (*Exporter, error) {
	endpoint := getenv(tracesName)
	name := tracesName
	if endpoint == "" && getenv(endpointName) != "" {
		name, endpoint = endpointName, strings.TrimSuffix(getenv(endpointName), "/")+"/v1/traces"
	}
	if endpoint == "" || strings.EqualFold(getenv(disabledName), "true") {
		return nil, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" || !loopback(u.Hostname()) {
		return nil, fmt.Errorf("%s must be an http URL on this machine, such as http://127.0.0.1:4318: each invocation would wait for a collector elsewhere. Use a collector in a layer that forwards the spans", name)
	}
	sampler := getenv(samplerName)
	switch sampler {
	case "", "parentbased_always_on", "always_on":
	case "always_off":
		return nil, nil
	default:
		return nil, fmt.Errorf("%s must be parentbased_always_on, always_on or always_off, not %q", samplerName, sampler)
	}
	return newExporter(options{Endpoint: endpoint, Next: next, Always: sampler == "always_on", Resource: resource(getenv)}), nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// resource describes the function.
func resource(getenv func(string) string) []attribute {
	function := getenv("AWS_LAMBDA_FUNCTION_NAME")
	out := []attribute{{"service.name", cmp.Or(getenv(serviceName), getenv("POWERTOOLS_SERVICE_NAME"), function, "expressway")}}
	add := func(key, value string) {
		if value != "" {
			out = append(out, attribute{key, value})
		}
	}
	if function != "" {
		add("cloud.provider", "aws")
		add("cloud.platform", "aws_lambda")
	}
	add("cloud.region", getenv("AWS_REGION"))
	add("faas.name", function)
	add("faas.version", getenv("AWS_LAMBDA_FUNCTION_VERSION"))
	add("faas.instance", getenv("AWS_LAMBDA_LOG_STREAM_NAME"))
	if mb, err := strconv.Atoi(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")); err == nil {
		out = append(out, attribute{"faas.max_memory", mb << 20})
	}
	return out
}
