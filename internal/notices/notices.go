// Package notices writes THIRD_PARTY_NOTICES.md: the licences of the Go modules that are
// linked into the functions and the command.
package notices

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A module is a module whose code is linked.
type module struct {
	Path, Version, Dir string
	// Texts holds the licence and the notice by file name.
	Texts map[string]string
}

// linked returns the modules that the packages link, sorted, with their licences. A
// module without a licence is an error, because it could not be shipped.
func linked(dir string, packages ...string) ([]module, error) {
	list := exec.Command("go", append([]string{"list", "-deps", "-json=Module"}, packages...)...)
	list.Dir = dir
	list.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0") // the same wherever it is written
	var errs bytes.Buffer
	list.Stderr = &errs
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, errs.String())
	}
	found := map[string]module{}
	decoder := json.NewDecoder(bytes.NewReader(out))
	for decoder.More() {
		var p struct{ Module *module }
		if err := decoder.Decode(&p); err != nil {
			return nil, err
		}
		if m := p.Module; m != nil && m.Version != "" { // the standard library and our own have none
			found[m.Path] = *m
		}
	}
	var modules []module
	for _, m := range found {
		if err := m.read(); err != nil {
			return nil, err
		}
		modules = append(modules, m)
	}
	slices.SortFunc(modules, func(a, b module) int { return cmp.Compare(a.Path, b.Path) })
	return modules, nil
}

func (m *module) read() error {
	files, err := os.ReadDir(m.Dir)
	if err != nil {
		return err
	}
	m.Texts = map[string]string{}
	licensed := false
	for _, f := range files {
		name := strings.ToUpper(f.Name())
		isLicence := strings.HasPrefix(name, "LICENSE") || strings.HasPrefix(name, "LICENCE") || strings.HasPrefix(name, "COPYING")
		if f.IsDir() || !isLicence && !strings.HasPrefix(name, "NOTICE") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.Dir, f.Name()))
		if err != nil {
			return err
		}
		m.Texts[f.Name()] = strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n"))
		licensed = licensed || isLicence
	}
	if !licensed {
		return fmt.Errorf("%s %s has no licence", m.Path, m.Version)
	}
	return nil
}

// document returns the document. Equal texts are written once.
func document(modules []module) string {
	var b strings.Builder
	b.WriteString("# Third-party notices\n\nGo modules that are linked into the functions, the layer and the command, and Go's own standard library\n(BSD-3-Clause, the text of golang.org/x). `make notices` writes this file.\n")
	users := map[string][]string{}
	var order []string
	for _, m := range modules {
		for _, name := range sorted(m.Texts) {
			text := m.Texts[name]
			if users[text] == nil {
				order = append(order, text)
			}
			users[text] = append(users[text], fmt.Sprintf("%s %s (%s)", m.Path, m.Version, name))
		}
	}
	for _, text := range order {
		b.WriteString("\n")
		for _, user := range users[text] {
			fmt.Fprintf(&b, "- %s\n", user)
		}
		b.WriteString("\n")
		for _, line := range strings.Split(text, "\n") {
			b.WriteString(strings.TrimRight("    "+line, " \t") + "\n")
		}
	}
	return b.String()
}

func sorted(m map[string]string) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
