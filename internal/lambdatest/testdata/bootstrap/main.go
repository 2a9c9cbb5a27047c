// The bootstrap that the tests of lambdatest run: it does what the event says.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string
	Wait time.Duration
	Size int
}

type stubborn struct{ error }

func main() {
	switch mode := os.Getenv("INIT"); mode {
	case "":
	case "exit":
		fmt.Println("init says goodbye")
		os.Exit(3)
	case "error":
		post("/runtime/init/error", `{"errorType":"Config.Bad","errorMessage":"no routes"}`)
		os.Exit(1)
	case "hang":
		time.Sleep(time.Minute)
	case "impolite":
		impolite()
	}
	lambda.Start(handle)
}

func handle(ctx context.Context, e event) (any, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	switch e.Do {
	case "error":
		return nil, stubborn{errors.New("will not")}
	case "panic":
		panic("lost")
	case "exit":
		os.Exit(7)
	case "wait":
		time.Sleep(e.Wait)
	case "large":
		return strings.Repeat("x", e.Size), nil
	case "half":
		return io.MultiReader(strings.NewReader("half"), broken{}), nil
	case "allocate":
		b := bytes.Repeat([]byte{1}, e.Size)
		return len(b), nil
	}
	return map[string]any{
		"do": e.Do, "pid": os.Getpid(), "id": lc.AwsRequestID, "arn": lc.InvokedFunctionArn,
		"trace": ctx.Value("x-amzn-trace-id"), "left": time.Until(deadline).Milliseconds(),
		"env": os.Environ(),
	}, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, stubborn{errors.New("cut")} }

// impolite polls twice and answers what it was not asked, and exits with a code made of
// the API's answers.
func impolite() {
	root := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01"
	get := func() *http.Response {
		r, err := http.Get(root + "/runtime/invocation/next")
		if err != nil {
			panic(err)
		}
		return r
	}
	id := get().Header.Get("Lambda-Runtime-Aws-Request-Id")
	again := get().StatusCode
	wrong := post("/runtime/invocation/nonsense/response", "1")
	late := post("/runtime/init/error", "{}")
	post("/runtime/invocation/"+id+"/response", fmt.Sprintf("[%d,%d,%d]", again, wrong, late))
	twice := post("/runtime/invocation/"+id+"/response", "2")
	fmt.Println("second answer:", twice)
	os.Exit(0)
}

func post(path, body string) int {
	r, err := http.Post("http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+"/2018-06-01"+path, "application/json", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	defer r.Body.Close()
	return r.StatusCode
}
