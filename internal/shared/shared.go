// Package shared finds what tests need that is not part of the project, so that a clone
// does not have it: the folder of recorded answers, vectors and events next to a
// development checkout, and the programs that `make ci` installs.
package shared

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/expressway-dev/expressway/internal/checkout"
)

// Path returns the path of a file of the folder, given its elements. If the folder is
// missing, the test is skipped; in CI, where it must exist, the test fails.
func Path(t testing.TB, elements ...string) string {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(append([]string{root, "..", "shared"}, elements...)...)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%v; CI needs the folder next to the checkout", err)
		}
		t.Skipf("no %s next to this checkout: recorded data is not part of the project", filepath.Join(elements...))
	}
	return path
}

// Read returns the contents of a file of the folder.
func Read(t testing.TB, elements ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(Path(t, elements...))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Program returns the program that a variable names, such as EXPRESSWAY_PYTHON. Without it
// the test is skipped, whatever the machine has, because `make test` needs nothing but Go;
// in CI, where it must be set, the test fails.
func Program(t testing.TB, variable string) string {
	t.Helper()
	program := os.Getenv(variable)
	switch {
	case program == "" && os.Getenv("CI") != "":
		t.Fatal("CI needs " + variable)
	case program == "":
		t.Skip(variable + " is not set; `make ci` sets it")
	}
	return program
}
