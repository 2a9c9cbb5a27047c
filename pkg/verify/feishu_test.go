package verify_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// What Feishu's Node SDK (1.74.0) decrypts to the event and to the challenge, with the key
// "test key". The last is the page's own example, "hello world", which is not an event.
const (
	feishuKey       = "test key"
	feishuEvent     = `{"schema":"2.0","header":{"event_id":"e-1","event_type":"im.message.receive_v1"},"event":{"text":"é"}}`
	feishuSealed    = "AAECAwQFBgcICQoLDA0ODzksK1XHDGhxTlKJKwLymcMyd1nZHD+oH9xjSv/KOaKKNxKeXrkDTb81PhVk0Ao8Z7yHqfZjFinJ8cQXzjTJbOuR7wLL5lBeHUS87ZL9Ahmh3AWdkijRVXhFuXxPCLnJFag8PcydqzLu9RcygjCwUfw="
	feishuChallenge = "AAECAwQFBgcICQoLDA0ODw9mLTIAZS9jAmGTQ1wAhHpnBHVL2wRjH9rPunQdQC1vLjsckayA10kZ8cPwtb62F8rC7JprUPR/4S2aZihfR+p8npX7UzWPithZmfKIPZgE"
	feishuPublished = "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="
)

func feishuPost(key, body string) *verify.Request {
	at := fmt.Sprint(epoch.Unix())
	sum := sha256.Sum256([]byte(at + "n-1" + key + body))
	return post(body, "Content-Type", "application/json", "X-Lark-Request-Timestamp", at, "X-Lark-Request-Nonce", "n-1", "X-Lark-Signature", hex.EncodeToString(sum[:]))
}

func TestFeishuEncryption(t *testing.T) {
	t.Parallel()
	spec := verify.Spec{Provider: "feishu", Handshake: "echo"}
	one := newRoute(t, spec, clockAt(epoch), environment{feishuKey}, verify.Options{})
	rotated := newRoute(t, verify.Spec{Provider: "feishu", Handshake: "echo", Secrets: []string{"env:S0", "env:S1"}}, clockAt(epoch), environment{"another", feishuKey}, verify.Options{})
	for name, r := range map[string]*route{"one key": one, "the second of two": rotated} {
		sealed := feishuPost(feishuKey, `{"encrypt":"`+feishuSealed+`"}`)
		if reply, err := r.receive(t, sealed); reply != nil || err != nil {
			t.Fatalf("%s: %v, %v, want a delivery", name, reply, err)
		}
		if _, body := verify.Redact(r.verifier, sealed); string(body) != feishuEvent {
			t.Errorf("%s: the body after it is %s", name, body)
		}
		reply, err := r.receive(t, post(`{"encrypt":"`+feishuChallenge+`"}`, "Content-Type", "application/json"))
		if err != nil || reply == nil || string(reply.Body) != `{"challenge":"ajls384kdjx98XX"}` {
			t.Errorf("%s: the challenge is answered %v, %v", name, reply, err)
		}
	}
	for name, body := range map[string]string{
		"the page's example": `{"encrypt":"` + feishuPublished + `"}`,
		"cut off":            `{"encrypt":"` + feishuSealed[:len(feishuSealed)-24] + `"}`,
		"half a block":       `{"encrypt":"AAECAwQFBgcICQoLDA0ODwAA"}`,
		"no ciphertext":      `{"encrypt":"AAECAwQFBgcICQoLDA0ODw=="}`,
		"not base64":         `{"encrypt":"!"}`,
		"another's key":      `{"encrypt":"` + sealedBy(t, "another key") + `"}`,
	} {
		// Signed with the key, and therefore by Feishu, but not an event.
		checkNamed(t, name, one.verifier, feishuPost(feishuKey, body), verify.Malformed)
	}
	without := newRoute(t, verify.Spec{Provider: "feishu"}, clockAt(epoch), environment{feishuKey}, verify.Options{})
	if reply, err := without.receive(t, post(`{"encrypt":"`+feishuChallenge+`"}`)); reply != nil || verify.ReasonOf(err) != verify.Missing {
		t.Errorf("without handshake: echo: %v, %v", reply, err)
	}
}

func sealedBy(t *testing.T, key string) string {
	t.Helper()
	signed, err := verify.SignRequest(verify.Spec{Provider: "feishu", Secrets: []string{"env:S0"}}, key, post(feishuEvent), epoch)
	if err != nil {
		t.Fatal(err)
	}
	return memberOf(t, signed.Body, "/encrypt")
}

// A setup request is not signed, so anyone may send ciphertexts to be decrypted. Whatever
// is wrong with one, the answer is that of an unsigned delivery: it reveals nothing about
// the padding, from which the text of a delivery could be found byte by byte.
func TestFeishuIsNoOracle(t *testing.T) {
	t.Parallel()
	r := newRoute(t, verify.Spec{Provider: "feishu", Handshake: "echo"}, clockAt(epoch), environment{feishuKey}, verify.Options{})
	text, err := base64.StdEncoding.DecodeString(feishuSealed)
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]int{}
	for _, blocks := range []int{2, 3, len(text) / 16} {
		for value := range 256 {
			forged := append([]byte{}, text[:16*blocks]...)
			forged[16*(blocks-1)-1] ^= byte(value)
			reply, err := r.receive(t, post(`{"encrypt":"`+base64.StdEncoding.EncodeToString(forged)+`"}`, "Content-Type", "application/json"))
			answers[fmt.Sprint(reply, err)]++
		}
	}
	if len(answers) != 1 {
		t.Errorf("answers differ: %v", answers)
	}
}
