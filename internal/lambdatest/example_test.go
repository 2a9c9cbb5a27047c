package lambdatest_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

// A function is started once, and invoked as often as the test needs.
func ExampleStart() {
	ctx := context.Background()
	fn, err := lambdatest.Start(ctx, lambdatest.Options{Bootstrap: bootstrap, Name: "orders"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fn.Stop()

	res, err := fn.Invoke(ctx, []byte(`{"Do": "large", "Size": 3}`), lambdatest.InvokeOptions{})
	fmt.Println(string(res.Payload), err)

	_, err = fn.Invoke(ctx, []byte(`{"Do": "error"}`), lambdatest.InvokeOptions{})
	fmt.Println(err)

	fn.Stop() // the logs are complete then
	fmt.Println(strings.Contains(fn.Logs(), "will not"))
	// Output:
	// "xxx" <nil>
	// function error: stubborn: will not
	// true
}
