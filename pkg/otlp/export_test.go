package otlp

// What FromEnv combines, and the variables that it reads, for the tests.
type Options = options

var New = newExporter

const (
	DisabledName = disabledName
	EndpointName = endpointName
	SamplerName  = samplerName
	TracesName   = tracesName
)
