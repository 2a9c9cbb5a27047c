package jsonpath_test

import (
	"fmt"

	"github.com/expressway-dev/expressway/pkg/asl/jsonpath"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

func ExamplePath_Eval() {
	order, err := jsonata.Decode([]byte(`{"id": 7, "items": [{"name": "pen", "price": 2}, {"name": "desk", "price": 90}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"$.id", "$.none", "$.items[?(@.price < 10)].name", "$.none[*]"} {
		path, err := jsonpath.Parse(text)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(path.Eval(order))
	}
	// Output:
	// 7 true
	// <nil> false
	// [pen] true
	// [] true
}

func ExamplePath_Set() {
	input, err := jsonata.Decode([]byte(`{"id": 7}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	path, err := jsonpath.Parse("$.result.total")
	if err != nil {
		fmt.Println(err)
		return
	}
	output, err := path.Set(input, 92.0)
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := jsonata.AppendJSON(nil, output)
	fmt.Println(string(text), err)
	// Output: {"id":7,"result":{"total":92}} <nil>
}
