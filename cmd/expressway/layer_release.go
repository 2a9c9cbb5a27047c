//go:build release

package main

import _ "embed"

// The zips are not in the repository: `make release` adds them to this folder.
var (
	//go:embed layer-arm64.zip
	layerARM64 []byte
	//go:embed layer-x86_64.zip
	layerX86 []byte
)

func layers() map[string][]byte {
	return map[string][]byte{"arm64": layerARM64, "x86_64": layerX86}
}
