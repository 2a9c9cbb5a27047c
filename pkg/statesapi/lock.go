package statesapi

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/gofrs/flock"
)

// The files of a data folder that are not state machines.
const (
	lockName   = ".lock"
	ownerName  = ".owner"
	tempPrefix = ".new-"
)

// A folder is the folder of [Service.Persist]. Only one process may use it at a time: two
// would overwrite and delete each other's files.
type folder struct {
	path string
	lock *flock.Flock
}

// openFolder locks a folder, creates it if it does not exist, and removes partial files
// of a killed process.
func openFolder(path string) (*folder, error) {
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, unwritable(path, err)
	}
	f := &folder{path, flock.New(filepath.Join(path, lockName), flock.SetPermissions(0o640))}
	locked, err := f.lock.TryLock()
	if err != nil {
		return nil, unwritable(path, err)
	}
	if !locked {
		return nil, fmt.Errorf("the folder %s is in use by %s; stop that process, or name another folder", path, f.owner())
	}
	// The owner is in a separate file, because a locked file cannot be read on Windows.
	if err := os.WriteFile(filepath.Join(path, ownerName), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o640); err != nil { //nolint:gosec // a process id
		return nil, errors.Join(unwritable(path, err), f.lock.Unlock())
	}
	leftovers, _ := filepath.Glob(filepath.Join(path, tempPrefix+"*"))
	for _, file := range leftovers {
		if err := os.Remove(file); err != nil {
			return nil, errors.Join(unwritable(path, err), f.lock.Unlock())
		}
	}
	return f, nil
}

// owner names the process that uses the folder.
func (f *folder) owner() string {
	text, err := os.ReadFile(filepath.Join(f.path, ownerName))
	if id := strings.TrimSpace(string(text)); err == nil && id != "" {
		return "process " + id
	}
	return "another process"
}

// close releases the folder.
func (f *folder) close() error {
	if f == nil {
		return nil
	}
	_ = os.Remove(filepath.Join(f.path, ownerName)) // the owner has released it
	return f.lock.Unlock()
}

// unwritable returns the error for a folder that cannot be written to.
func unwritable(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("the folder %s is read-only; make it writable for this user, or name another folder: %w", path, err)
	}
	return fmt.Errorf("keep state machines in %s: %w", path, err)
}
