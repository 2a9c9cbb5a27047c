package httpfront

import (
	"encoding/json"
	"fmt"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// scalar reads a header or query value; a number is used as it is written.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return fmt.Sprint(v)
	}
	return ""
}

func eachText(o *jsonata.Object, f func(k, v string)) {
	for i := range o.Len() {
		k, v := o.At(i)
		f(k, scalar(v))
	}
}

func eachItem(o *jsonata.Object, key string, f func(v string)) {
	items := o.List(key)
	for _, item := range items {
		f(scalar(item))
	}
}
