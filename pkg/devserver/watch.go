package devserver

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settleTime is how long a file must stay unchanged before it is read: editors write in
// steps, and some write another file and rename it.
const settleTime = 80 * time.Millisecond

// Watch calls changed once when watching has begun, and then soon after a file is saved in
// one of the folders, until ctx ends. Whole folders are watched, because editors that
// rename files leave no file to watch. Folders that do not exist yet are watched once they
// do. Irrelevant files, such as an editor's own, are ignored.
func Watch(ctx context.Context, folders func() []string, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	watched := map[string]bool{}
	follow := func() {
		for _, dir := range folders() {
			if dir = filepath.Clean(dir); !watched[dir] && w.Add(dir) == nil {
				watched[dir] = true
			}
		}
	}
	follow()
	// Files may have been saved after the caller read them and before they were watched.
	rest := time.NewTimer(settleTime)
	defer rest.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case event := <-w.Events:
			if event.Has(fsnotify.Remove) && watched[event.Name] {
				delete(watched, event.Name)
			}
			if matters(event) {
				rest.Reset(settleTime)
			}
		case <-w.Errors: // too many at once: something has certainly changed
			rest.Reset(settleTime)
		case <-rest.C:
			follow()
			changed()
		}
	}
}

func matters(event fsnotify.Event) bool {
	name := filepath.Base(event.Name)
	if event.Op == fsnotify.Chmod || strings.HasPrefix(name, ".#") || strings.HasSuffix(name, "~") || strings.HasSuffix(name, ".swp") {
		return false
	}
	switch filepath.Ext(name) {
	case ".yaml", ".yml", ".json", ".toml", ".env", "":
		return true
	}
	return strings.Contains(name, "env")
}

// Folders returns the folders of the files that the options name.
func (o Options) Folders() []string {
	list := []string{"."}
	add := func(path string) {
		if path == "" {
			return
		}
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			path = filepath.Dir(path)
		}
		list = append(list, path)
	}
	add(o.Config)
	if o.StateMachines != "" {
		list = append(list, o.StateMachines)
	}
	if o.Getenv != nil {
		add(o.Getenv("SFN_MOCK_CONFIG"))
		add(o.Connections)
	}
	if o.Machines != nil {
		machines, _ := o.Machines() // mistakes in them are reported when they are read
		for _, m := range machines {
			add(m.Source)
		}
	}
	return list
}
