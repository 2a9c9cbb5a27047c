package metrics

import (
	"strconv"
	"time"
)

// maxValues is how many values of one metric a line may have.
//
// [Specification]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
const maxValues = 100

// write writes the line of a tally, or several lines if it has too many samples for one.
func (w *Writer) write(t *tally) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.warm {
		t.counts[coldStart], w.warm = 1, true
	}
	for {
		n := min(len(t.samples), maxValues)
		w.line = w.appendLine(w.line[:0], t, t.samples[:n])
		// Standard output is the only way out, so an error could not be reported.
		_, _ = w.out.Write(w.line)
		if t.samples = t.samples[n:]; len(t.samples) == 0 {
			return
		}
		t.counts = [counts]int{}
	}
}

// appendLine writes by hand what encoding/json would need a map for, because it runs in
// every warm invocation.
func (w *Writer) appendLine(b []byte, t *tally, samples []sample) []byte {
	now := w.now()
	// Lambda's log level filter drops lines below its level, and treats a line without a
	// level or a time as INFO, so metrics are written at the filter's own level.
	b = append(append(b, `{"level":"`...), w.level...)
	b = now.UTC().AppendFormat(append(b, `","timestamp":"`...), "2006-01-02T15:04:05.000Z")
	b = append(b, `","_aws":{"Timestamp":`...)
	b = strconv.AppendInt(b, now.UnixMilli(), 10)
	b = append(b, `,"CloudWatchMetrics":[{"Namespace":`...)
	b = appendText(b, w.namespace)
	b = append(b, `,"Dimensions":[[`...)
	// A dimension must not be empty, and events without a route have none.
	if t.route != "" {
		b = append(b, `"Route",`...)
	}
	b = append(b, `"Source"]`...)
	if w.function != "" {
		// A set without a route, for alarms, which cannot search over dimensions.
		b = append(b, `,["FunctionName"]`...)
	}
	b = append(b, `],"Metrics":[`...)
	for i, n := range t.counts {
		if n != 0 {
			b = appendMetric(b, countNames[i], "Count")
		}
	}
	if len(samples) > 0 {
		for _, name := range sampleNames {
			b = appendMetric(b, name, "Milliseconds")
		}
	}
	b = append(b[:len(b)-1], `]}]},`...) // without the last comma
	if t.route != "" {
		b = append(b, `"Route":`...)
		b = append(appendText(b, t.route), ',')
	}
	b = append(b, `"Source":`...)
	b = appendText(b, t.source)
	if w.function != "" {
		b = appendText(append(b, `,"FunctionName":`...), w.function)
	}
	// Properties, which can be searched in CloudWatch Logs Insights but are not part of a
	// metric.
	b = appendText(append(b, `,"version":`...), w.version)
	if w.functionVersion != "" {
		b = appendText(append(b, `,"functionVersion":`...), w.functionVersion)
	}
	if t.machine != "" {
		b = appendText(append(b, `,"stateMachineVersion":`...), t.machine)
	}
	for i, n := range t.counts {
		if n != 0 {
			b = append(b, `,"`...)
			b = append(append(b, countNames[i]...), `":`...)
			b = strconv.AppendInt(b, int64(n), 10)
		}
	}
	if len(samples) > 0 {
		for i, name := range sampleNames {
			b = append(b, `,"`...)
			b = append(append(b, name...), `":`...)
			b = appendValues(b, samples, i)
		}
	}
	return append(b, "}\n"...)
}

func appendMetric(b []byte, name, unit string) []byte {
	b = append(append(b, `{"Name":"`...), name...)
	b = append(append(b, `","Unit":"`...), unit...)
	return append(b, `"},`...)
}

// appendValues writes the i-th measure of all samples, in milliseconds.
func appendValues(b []byte, samples []sample, i int) []byte {
	b = append(b, '[')
	for _, s := range samples {
		ms := float64(s[i]/time.Microsecond) / 1000
		b = append(strconv.AppendFloat(b, ms, 'f', -1, 64), ',')
	}
	return append(b[:len(b)-1], ']')
}

// appendText writes a JSON string. The texts are names of routes, sources, functions and a
// namespace, and versions, none of which can contain characters that JSON escapes.
func appendText(b []byte, s string) []byte { return append(append(append(b, '"'), s...), '"') }
