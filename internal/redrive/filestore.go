package redrive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/gofrs/flock"
)

// A FileStore keeps the journal in a file that only one process can open.
type FileStore struct {
	path string
	lock *flock.Flock
	file *os.File
	// broken is the first write that failed. The part of a line that it may have written
	// must stay at the end of the file, where Load removes it.
	broken error
}

// OpenFile locks a journal and creates its folder. It fails at once if another process
// holds the journal.
func OpenFile(path string) (*FileStore, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create the journal's folder: %w", err)
	}
	s := &FileStore{path: path, lock: flock.New(path+".lock", flock.SetPermissions(0o600))}
	locked, err := s.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the journal %s: %w", path, err)
	}
	if !locked {
		return nil, fmt.Errorf("another redrive of this queue is running (%s): its journal %s is locked", s.owner(), path)
	}
	// The owner is in a separate file, because a locked file cannot be read on Windows.
	if err := os.WriteFile(path+".owner", []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return nil, errors.Join(err, s.lock.Unlock())
	}
	return s, nil
}

func (s *FileStore) owner() string {
	text, err := os.ReadFile(s.path + ".owner")
	if err != nil || len(text) == 0 {
		return "unknown process"
	}
	return "process " + string(text)
}

// Close releases the journal.
func (s *FileStore) Close() error {
	var err error
	if s.file != nil {
		err = s.file.Close()
	}
	_ = os.Remove(s.path + ".owner") // it names no process any more
	return errors.Join(err, s.lock.Unlock())
}

// Load implements [Store]. It removes a last line that a crash cut off.
func (s *FileStore) Load() ([]byte, error) {
	text, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	if len(whole) < len(text) {
		if err := os.Truncate(s.path, int64(len(whole))); err != nil {
			return nil, fmt.Errorf("repair the journal: %w", err)
		}
	}
	return whole, nil
}

// Append implements [Store].
func (s *FileStore) Append(line []byte, sync bool) error {
	if s.broken != nil {
		return s.broken
	}
	if s.file == nil {
		file, err := os.OpenFile(s.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		s.file = file
	}
	n, err := s.file.Write(line)
	if err == nil && n < len(line) {
		err = io.ErrShortWrite
	}
	if err == nil && sync {
		err = s.file.Sync()
	}
	s.broken = err
	return err
}

// Remove implements [Store].
func (s *FileStore) Remove() error {
	if s.file != nil {
		if err := s.file.Close(); err != nil {
			return err
		}
		s.file = nil
	}
	err := os.Remove(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
