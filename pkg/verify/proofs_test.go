package verify_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// TestProofs counts the evidence for each preset: verdicts of the provider's own library, a
// published vector, or only its description. One that rests on a description that is not
// the provider's is experimental.
func TestProofs(t *testing.T) {
	t.Parallel()
	proof := map[string]string{}
	for _, v := range loadVectors(t) {
		if name := map[string]string{"aws-sns": "sns", "twitter": "x"}[v.Provider]; name != "" {
			proof[name] = "vector"
		}
		proof[v.Provider] = "vector"
	}
	for _, v := range loadSamples(t) {
		switch {
		case v.VerifiedBy != "":
			proof[v.Provider] = "library"
		case v.Source.Confidence == "published value" && proof[v.Provider] == "":
			proof[v.Provider] = "vector"
		}
	}
	groups, err := providertest.ReadJudged("testdata/libraries.json")
	if err != nil {
		t.Fatal(err)
	}
	libraries := map[string]bool{}
	for _, g := range groups {
		proof[g.Provider] = "library"
		libraries[g.Library] = true
	}
	// Each run of `make vendors` runs these libraries.
	asked, err := os.ReadFile("../../internal/vendors/vendors.mjs")
	if err != nil {
		t.Fatal(err)
	}
	live := regexp.MustCompile(`(?m)^  "?([a-z0-9-]+)"?: \["[^"]+", `).FindAllStringSubmatch(string(asked), -1)
	for _, m := range live {
		proof[m[1]] = "library"
	}
	t.Logf("%d libraries are asked by make vendors, and testdata/libraries.json has verdicts of %d", len(live), len(libraries))
	if len(live) < 30 || len(libraries) < 30 {
		t.Error("that is less than 30")
	}
	proof["paypal"] = "library" // what that signs is in TestPayPalMessage
	by := map[string][]string{}
	for _, name := range verify.Providers() {
		p, _ := verify.Lookup(name)
		kind := proof[name]
		if kind == "" {
			kind = "description"
		}
		if p.Experimental {
			kind += ", experimental"
		}
		by[kind] = append(by[kind], name)
	}
	for _, kind := range []string{"library", "vector", "description", "description, experimental", "library, experimental", "vector, experimental"} {
		t.Logf("%s: %d: %v", kind, len(by[kind]), by[kind])
	}
	if proven := len(by["library"]) + len(by["vector"]); proven < 45 {
		t.Errorf("%d presets rest on a library or a vector, want at least 45", proven)
	}
	if slices.Contains(by["description"], "github") {
		t.Error("GitHub's vectors were not found")
	}
}
