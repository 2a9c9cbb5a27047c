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
	// EndpointName is the collector's URL, to which /v1/traces is added.
	EndpointName = "OTEL_EXPORTER_OTLP_ENDPOINT"
	// TracesName is the whole URL for traces; it takes precedence.
	TracesName = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	// ServiceName names the service; by default it is the function's name.
	ServiceName = "OTEL_SERVICE_NAME"
	// SamplerName is parentbased_always_on, the default, which records what X-Ray samples;
	// always_on, which a function without active tracing needs; or always_off.
	SamplerName = "OTEL_TRACES_SAMPLER"
	// DisabledName turns the exporter off if it is "true".
	DisabledName = "OTEL_SDK_DISABLED"
)

// FromEnv returns the Exporter that the environment configures, which also notifies next.
// It returns nil if the environment configures none.
func FromEnv(getenv func(string) string, next bridge.Observer) (*Exporter, error) {
	endpoint := getenv(TracesName)
	name := TracesName
	if endpoint == "" && getenv(EndpointName) != "" {
		name, endpoint = EndpointName, strings.TrimSuffix(getenv(EndpointName), "/")+"/v1/traces"
	}
	if endpoint == "" || strings.EqualFold(getenv(DisabledName), "true") {
		return nil, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" || !loopback(u.Hostname()) {
		return nil, fmt.Errorf("%s must be an http URL on this machine, such as http://127.0.0.1:4318: each invocation would wait for a collector elsewhere. Use a collector in a layer that forwards the spans", name)
	}
	sampler := getenv(SamplerName)
	switch sampler {
	case "", "parentbased_always_on", "always_on":
	case "always_off":
		return nil, nil
	default:
		return nil, fmt.Errorf("%s must be parentbased_always_on, always_on or always_off, not %q", SamplerName, sampler)
	}
	return New(Options{Endpoint: endpoint, Next: next, Always: sampler == "always_on", Resource: resource(getenv)}), nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// resource describes the function.
func resource(getenv func(string) string) []Attribute {
	function := getenv("AWS_LAMBDA_FUNCTION_NAME")
	out := []Attribute{{"service.name", cmp.Or(getenv(ServiceName), getenv("POWERTOOLS_SERVICE_NAME"), function, "expressway")}}
	add := func(key, value string) {
		if value != "" {
			out = append(out, Attribute{key, value})
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
		out = append(out, Attribute{"faas.max_memory", mb << 20})
	}
	return out
}
