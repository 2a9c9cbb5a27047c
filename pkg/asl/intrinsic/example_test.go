package intrinsic_test

import (
	"fmt"

	"github.com/expressway-dev/expressway/pkg/asl/intrinsic"
)

func ExampleCall_Eval() {
	call, err := intrinsic.Parse("States.Format('Hello {}, {}!', $.name, States.MathAdd(1, 1.5))")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(call.Paths())
	greeting, err := call.Eval(intrinsic.Env{
		Resolve: func(path string) (any, error) { return "Ada", nil },
	})
	fmt.Println(greeting, err)
	// Output:
	// [$.name]
	// Hello Ada, 3! <nil>
}
