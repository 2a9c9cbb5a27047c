package verify

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
)

// feishuScheme is
// https://open.feishu.cn/document/server-docs/event-subscription-guide/event-subscription-configure-/encrypt-key-encryption-configuration-case:
// a plain hash with the Encrypt Key in the middle, over a body that is {"encrypt": …}, the
// event in AES-256-CBC. Everything after verification gets the event.
var feishuScheme = scheme{name: "feishu", verifier: newFeishu, warn: warnPreset}

var feishuTools = tools{
	describe: describePreset,
	sign: func(s *signer, r *Request) error {
		if _, encrypted := readEncrypted(r.Body); !encrypted {
			body, err := encodeBody(object{feishuMember: encryptFeishu(s.secret, s.digest(r.Body), r.Body)})
			if err != nil {
				return err
			}
			r.Body, s.out.Body = body, body
		}
		return s.preset(r)
	},
}

// feishuHandshake answers a challenge, which is not signed, if the route says so. With an
// Encrypt Key it is encrypted. A malformed ciphertext gets the same answer as that of any
// other text, because both are verified as deliveries: the answers do not reveal whether
// the padding was right.
var feishuHandshake = Handshake{newBefore: newFeishuHandshake}

const feishuMember = "encrypt"

type feishu struct{ *hmacVerifier }

func newFeishu(b *builder) (Verifier, error) {
	v, err := b.newHMAC(compileHMAC(b.presetHMAC(), b.spec.URL))
	return feishu{v}, err
}

func (v feishu) Verify(ctx context.Context, r *Request) error {
	key, err := v.accept(ctx, r)
	if err != nil {
		return err
	}
	if sealed, ok := readEncrypted(r.Body); ok {
		if _, ok := decryptFeishu(string(key), sealed); !ok {
			return refuse(Malformed, feishuMember)
		}
	}
	return nil
}

// Redact implements redactor: it returns the event of a verified request.
func (v feishu) Redact(r *Request) (rawQuery string, body []byte) {
	body = r.Body
	if sealed, ok := readEncrypted(r.Body); ok {
		_ = v.keys.match(context.Background(), feishuMember, func(key []byte) bool {
			event, ok := decryptFeishu(string(key), sealed)
			if ok {
				body = event
			}
			return ok
		})
	}
	return r.RawQuery, body
}

// readEncrypted returns what is encrypted in a body that is nothing else.
func readEncrypted(body []byte) (string, bool) {
	sealed := wanted(feishuMember)
	if err := scanObject(body, sealed); err != nil || sealed.string() == "" {
		return "", false
	}
	return sealed.string(), true
}

// decryptFeishu returns the event, which is one JSON object; a wrong key yields garbage.
func decryptFeishu(key, sealed string) ([]byte, bool) {
	text, err := decodeBase64(sealed)
	if err != nil || len(text) < 2*aes.BlockSize || len(text)%aes.BlockSize != 0 {
		return nil, false
	}
	block, _ := aes.NewCipher(digest256(key)) // the length of the key is always valid
	event := make([]byte, len(text)-aes.BlockSize)
	cipher.NewCBCDecrypter(block, text[:aes.BlockSize]).CryptBlocks(event, text[aes.BlockSize:])
	padding := int(event[len(event)-1])
	if padding == 0 || padding > aes.BlockSize || !bytes.HasSuffix(event, bytes.Repeat([]byte{byte(padding)}, padding)) {
		return nil, false
	}
	event = event[:len(event)-padding]
	return event, scanObject(event) == nil
}

func encryptFeishu(key, nonce string, event []byte) string {
	padding := aes.BlockSize - len(event)%aes.BlockSize
	padded := append(bytes.Clone(event), bytes.Repeat([]byte{byte(padding)}, padding)...)
	iv := sha256.Sum256([]byte(nonce))
	block, _ := aes.NewCipher(digest256(key)) // as above
	cipher.NewCBCEncrypter(block, iv[:aes.BlockSize]).CryptBlocks(padded, padded)
	return base64.StdEncoding.EncodeToString(append(iv[:aes.BlockSize:aes.BlockSize], padded...))
}

func newFeishuHandshake(b *builder) (exchange, error) {
	plain, err := b.echoed("challenge", "url_verification")
	if plain == nil || err != nil {
		return nil, err
	}
	keys, err := newKeyring(b, keyDecoder("text"), "")
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, r *Request) (*Reply, error) {
		sealed, encrypted := "", false
		if len(r.Body) <= maxHandshake && r.Method == http.MethodPost {
			sealed, encrypted = readEncrypted(r.Body)
		}
		if !encrypted {
			return plain(ctx, r)
		}
		var reply *Reply
		err := keys.match(ctx, feishuMember, func(key []byte) bool {
			event, ok := decryptFeishu(string(key), sealed)
			if ok {
				own := *r
				own.Body = event
				reply, _ = plain(ctx, &own) // it does not fail
			}
			return reply != nil
		})
		if ReasonOf(err) != "" {
			err = nil // it is then verified as a delivery
		}
		return reply, err
	}, nil
}
