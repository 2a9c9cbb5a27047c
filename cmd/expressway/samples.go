package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/devserver"
)

// meantFile names the samples that are meant to fail, with one line for each: FILE: what
// it shows.
const meantFile = "meant.txt"

// sendSamples passes each event file to the function that its name begins with, and
// prints a line for each.
func sendSamples(ctx context.Context, p *program, local *devserver.Local, recorder *console.Recorder, term *terminal, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("there are no *.json files in %s", dir)
	}
	meant, err := readMeant(filepath.Join(dir, meantFile))
	if err != nil {
		return err
	}
	was := term.isSilent()
	term.quiet(true)
	defer term.quiet(was)
	fmt.Fprintf(p.stdout, "the samples of %s:\n", dir)
	for _, file := range files {
		function, _, _ := strings.Cut(filepath.Base(file), "-")
		handler, err := local.Handler(function)
		if err != nil {
			return fmt.Errorf("%s: %w; the name of a sample must begin with its function", file, err)
		}
		payload, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		invocation, cancel := devserver.Invocation(ctx, local.Region, local.Account, rand.Text(), 29*time.Second)
		_, _ = handler.Invoke(console.WithOrigin(invocation, "sample "+filepath.Base(file)), payload) // the recorder already shows both
		cancel()
		if ctx.Err() != nil {
			return nil
		}
		if d := recorder.Deliveries(nil, 1); len(d) > 0 {
			printSample(p, term, filepath.Base(file), d[0], meant[filepath.Base(file)])
		}
	}
	fmt.Fprintln(p.stdout)
	return nil
}

// columns is the usual width of a terminal.
const columns = 80

func printSample(p *program, term *terminal, file string, d console.Delivery, meant string) {
	mark, colour, note := "ok", green, plain(d.Title)
	switch {
	case !d.OK && meant != "":
		mark, colour, note = "meant", yellow, meant
	case !d.OK:
		mark, colour, note = "FAIL", red, why(d)
	case d.Error != "":
		note = why(d)
	}
	line := fmt.Sprintf("%-28s %-14s %s", strings.TrimSuffix(file, ".json"), plain(d.Status), note)
	fmt.Fprintf(p.stdout, "  %s %s\n", term.paint(colour, fmt.Sprintf("%-5s", mark)), cut(line, columns-8))
}

// cut truncates text to a number of characters.
func cut(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return text
}

// readMeant reads which samples are meant to fail, and why. The file is optional.
func readMeant(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	meant := map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if name, note, ok := strings.Cut(lines.Text(), ":"); ok {
			meant[strings.TrimSpace(name)] = strings.TrimSpace(note)
		}
	}
	return meant, lines.Err()
}
