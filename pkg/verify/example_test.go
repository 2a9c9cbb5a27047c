package verify_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

func ExampleHandshaker() {
	source := secrets.NewEnv(func(name string) string {
		return map[string]string{"APP_SECRET": "secret", "VERIFY_TOKEN": "meatyhamhock"}[name]
	})
	spec := verify.Spec{Provider: "meta", Secrets: []string{"env:APP_SECRET"}, Token: &verify.Token{Reference: "env:VERIFY_TOKEN"}}
	h, err := verify.NewHandshaker(spec, source, verify.Options{Now: time.Now})
	if err != nil {
		panic(err)
	}
	fmt.Println(h.Methods())
	reply, err := h.Before(context.Background(), &verify.Request{
		Method: http.MethodGet, Path: "/meta", RawQuery: "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock",
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(reply.Status, string(reply.Body))
	_, err = h.Before(context.Background(), &verify.Request{
		Method: http.MethodGet, Path: "/meta", RawQuery: "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=guess",
	})
	fmt.Println(err)
	// Output:
	// [GET]
	// 200 1158201444
	// unverified: mismatch: hub.verify_token
}

func ExampleSignRequest() {
	spec := verify.Spec{Provider: "twilio", URL: "https://hooks.example.com", Secrets: []string{"env:TWILIO_AUTH_TOKEN"}}
	r := &verify.Request{Method: http.MethodPost, Path: "/twilio", Header: http.Header{}, Body: []byte(`{"sid":"SM1"}`)}
	signed, err := verify.SignRequest(spec, "12345", r, time.Unix(1_700_000_000, 0))
	if err != nil {
		panic(err)
	}
	fmt.Println(signed.RawQuery)
	fmt.Println(signed.Header.Get("X-Twilio-Signature") != "")
	_, err = verify.SignRequest(verify.Spec{Provider: "discord", Secrets: []string{"env:KEY"}}, "ab", r, time.Now())
	fmt.Println(err)
	// Output:
	// bodySHA256=b8c220fe23c7d98994b38ae901074800e621b4674cb210d9b5c2627f96196224
	// true
	// discord cannot be signed here: the sender signs with a private key, and the route has only its public key; sign with keys of your own
}
