package httpfront

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// inflate undoes Content-Encoding. Signatures cover the encoded body. [MaxBody]
// bounds the decoded size, however small the body was.
func inflate(headers []string, body []byte) ([]byte, error) {
	var encodings []string
	for _, h := range headers {
		for name := range strings.SplitSeq(h, ",") {
			if name = strings.ToLower(strings.TrimSpace(name)); name != "" && name != "identity" && name != "aws-chunked" {
				encodings = append(encodings, name)
			}
		}
	}
	switch {
	case len(encodings) == 0 || len(body) == 0:
		return body, nil
	case len(encodings) > 1:
		return nil, badBody("the body has more than one content encoding")
	}
	var in io.Reader
	var err error
	switch encodings[0] {
	case "gzip", "x-gzip":
		in, err = gzip.NewReader(bytes.NewReader(body))
	case "deflate": // zlib according to RFC 9110, but bare DEFLATE from some senders
		if in, err = zlib.NewReader(bytes.NewReader(body)); err != nil {
			in, err = flate.NewReader(bytes.NewReader(body)), nil
		}
	default:
		return nil, badBody("the body's content encoding is neither gzip nor deflate")
	}
	if err != nil {
		return nil, badBody("the body is not in the content encoding that it claims")
	}
	out, err := io.ReadAll(io.LimitReader(in, MaxBody+1))
	switch {
	case len(out) > MaxBody:
		return nil, bridge.NewFailure(bridge.InputTooLarge, fmt.Sprintf("the body grows beyond %d bytes when it is decoded", MaxBody), nil)
	case err != nil:
		return nil, badBody("the body is not in the content encoding that it claims")
	}
	return out, nil
}
