package imports_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFunctionsOnlyVerify holds that what only commands need of the providers is not
// linked into a function: signers, descriptions, and keys of tests.
func TestFunctionsOnlyVerify(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a function")
	}
	file := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.Command("go", "build", "-trimpath", "-tags", "lambda.norpc", "-o", file, "./functions/webhook")
	build.Dir, build.Env = filepath.Join("..", ".."), append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command("go", "tool", "nm", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	symbols := string(out)
	const verify = "/pkg/verify."
	for _, name := range []string{"(*signer).", "(*scheme).tools", "hmacTools", "MakeKeys", "PublicHalf", "parseKeyBundle", "describeHMAC"} {
		if strings.Contains(symbols, verify+name) {
			t.Errorf("the webhook function links %s, which only commands need", name)
		}
	}
	if !strings.Contains(symbols, verify+"presetsAtoF") {
		t.Error("the presets were not found in the webhook function, so nothing was tested")
	}
}
