package jsonata_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

func TestMembers(t *testing.T) {
	t.Parallel()
	v, err := jsonata.Decode([]byte(`{"text":"t","object":{"a":1},"list":["x"],"null":null}`))
	if err != nil {
		t.Fatal(err)
	}
	o := v.(*jsonata.Object)
	o.Set("raw", jsonata.NewRaw([]byte(`{"a":2}`)))
	if !o.Has("null") || o.Has("absent") {
		t.Error("Has confuses null with absent")
	}
	if o.Text("text") != "t" || o.Text("list") != "" || o.Text("absent") != "" {
		t.Errorf("Text = %q, %q, %q", o.Text("text"), o.Text("list"), o.Text("absent"))
	}
	if diff := cmp.Diff([]any{"x"}, o.List("list")); diff != "" || o.List("text") != nil {
		t.Errorf("List (-want +got):\n%s", diff)
	}
	if !o.Object("object").Has("a") || o.Object("text") != nil {
		t.Error("Object misses an object, or finds a missing one")
	}
	if !o.Object("raw").Has("a") {
		t.Error("a Raw is not seen through")
	}
	kept := o.Without("text", "raw", "absent")
	if kept.Has("text") || kept.Len() != 3 || !o.Has("text") {
		t.Errorf("Without leaves %d members, and the original %d", kept.Len(), o.Len())
	}
	var none *jsonata.Object
	if none.Has("a") || none.Value("a") != nil || none.Text("a") != "" || none.Object("a") != nil || none.List("a") != nil || none.Without("a").Len() != 0 {
		t.Error("a nil object has members")
	}
}
