// Command release writes a release into a folder: see package dist.
//
//	go run ./internal/dist/release -version v0.1.0 -o dist
//	go run ./internal/dist/release -version v0.1.0 -o out -platform linux/arm64
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"

	"github.com/expressway-dev/expressway/internal/dist"
)

var versions = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	version := flag.String("version", "", "vMAJOR.MINOR.PATCH")
	commit := flag.String("commit", "", "commit that the release is built from (default: git's HEAD)")
	out := flag.String("o", "dist", "`folder` to write to")
	platform := flag.String("platform", "", "write only the command of `OS/ARCH` (default: the whole release)")
	flag.Parse()
	if !versions.MatchString(*version) {
		fmt.Fprintln(os.Stderr, "release: -version must have the form v0.1.0")
		os.Exit(2)
	}
	if *commit == "" {
		if text, err := exec.CommandContext(ctx, "git", "rev-parse", "--short=12", "HEAD").Output(); err == nil {
			*commit = strings.TrimSpace(string(text))
		}
	}
	r := dist.Release{Root: ".", Version: *version, Commit: *commit, Say: func(s string) { fmt.Fprintln(os.Stderr, s) }}
	write := r.Write
	if *platform != "" {
		write = func(ctx context.Context, dir string) error { return r.WriteCommand(ctx, dir, *platform) }
	}
	if err := write(ctx, *out); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}
