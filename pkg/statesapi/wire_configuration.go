package statesapi

import (
	"encoding/json"
	"strconv"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// The configurations of a state machine are kept as they were sent, except for members
// that are not in the API's model: DescribeStateMachine returns what is kept, and SDKs
// must understand it.

func (f *fields) logging() *jsonata.Object {
	var o *jsonata.Object
	f.within("loggingConfiguration", func(f *fields) {
		o = jsonata.NewObject(3)
		setSent(o, "level", f.text("level"))
		setSent(o, "includeExecutionData", f.flag("includeExecutionData"))
		list := []any{}
		if f.structures("destinations", func(f *fields) { list = append(list, f.destination()) }) {
			o.Set("destinations", list)
		}
	})
	return o
}

func (f *fields) destination() *jsonata.Object {
	o := jsonata.NewObject(1)
	f.within("cloudWatchLogsLogGroup", func(f *fields) {
		group := jsonata.NewObject(1)
		setSent(group, "logGroupArn", f.text("logGroupArn"))
		o.Set("cloudWatchLogsLogGroup", group)
	})
	return o
}

func (f *fields) tracing() *jsonata.Object {
	var o *jsonata.Object
	f.within("tracingConfiguration", func(f *fields) {
		o = jsonata.NewObject(1)
		setSent(o, "enabled", f.flag("enabled"))
	})
	return o
}

func (f *fields) encryption() *jsonata.Object {
	var o *jsonata.Object
	f.within("encryptionConfiguration", func(f *fields) {
		o = jsonata.NewObject(3)
		setSent(o, "type", f.text("type"))
		setSent(o, "kmsKeyId", f.text("kmsKeyId"))
		if n := f.integer("kmsDataKeyReusePeriodSeconds"); n != nil {
			o.Set("kmsDataKeyReusePeriodSeconds", json.Number(strconv.FormatInt(*n, 10)))
		}
	})
	return o
}

func setSent[T any](o *jsonata.Object, name string, v *T) {
	if v != nil {
		o.Set(name, *v)
	}
}
