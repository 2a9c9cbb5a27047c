// Package deploy embeds the files of this folder that `expressway init` writes.
package deploy

import "embed"

// Alarms are the nested stacks of alarms/: function.yaml, queue.yaml and api.yaml.
//
//go:embed alarms/*.yaml
var Alarms embed.FS
