// Package dist makes what a release consists of: the Lambda layer, the function zips,
// the command for each platform, checksums and a bill of materials. Two builds of one
// tree with one Go version are equal byte for byte, wherever they are made.
package dist

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"time"
)

// A file is one entry of an archive.
type file struct {
	Name string
	Mode uint32 // permission bits
	Data []byte
}

// epoch is the time of every entry: the earliest that a zip can have.
var epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// zipped packs files in their order. The result does not depend on the machine.
func zipped(files ...file) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.BestCompression)
	})
	for _, f := range files {
		header := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: epoch}
		const unix = 3
		header.CreatorVersion = unix << 8
		header.ExternalAttrs = (0o100000 | f.Mode) << 16
		entry, err := w.CreateHeader(header)
		if err != nil {
			return nil, fmt.Errorf("zip %s: %w", f.Name, err)
		}
		if _, err := entry.Write(f.Data); err != nil {
			return nil, fmt.Errorf("zip %s: %w", f.Name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("zip: %w", err)
	}
	return out.Bytes(), nil
}
