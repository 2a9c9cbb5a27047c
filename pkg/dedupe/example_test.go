package dedupe_test

import (
	"context"
	"fmt"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/dedupe"
)

// The first claim takes the key; while it is held, and once it has an answer, an equal
// delivery learns of it.
func ExampleMemory() {
	ctx := context.Background()
	store := dedupe.NewMemory(dedupe.MemoryOptions{})
	claim := func(lasts time.Duration) bridge.Claim {
		return bridge.Claim{Key: "orders#o-1", Until: time.Now().Add(lasts), Expires: time.Now().Add(time.Hour)}
	}
	first := claim(time.Minute)
	for _, c := range []bridge.Claim{first, claim(2 * time.Minute)} {
		record, err := store.Claim(ctx, c)
		fmt.Println(record.State == bridge.Claimed, err)
	}
	if err := store.Complete(ctx, first, []byte(`{"status":200}`)); err != nil {
		fmt.Println(err)
	}
	record, err := store.Claim(ctx, claim(3*time.Minute))
	fmt.Println(string(record.Answer), err)
	// Output:
	// true <nil>
	// false <nil>
	// {"status":200} <nil>
}
