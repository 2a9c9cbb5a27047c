package template

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// defaultConfigEnv is the environment of samconfig that SAM takes where none is named.
const defaultConfigEnv = "default"

var samconfigNames = []string{"samconfig.toml", "samconfig.yaml", "samconfig.yml"}

// A SAMConfig holds the settings of samconfig for a deployment.
type SAMConfig struct {
	File, Environment string
	Parameters        map[string]string
	Region, StackName string
}

// ReadSAMConfig reads samconfig.toml, or samconfig.yaml, of a folder, for an environment.
// Like `sam deploy`, it uses [ENV.deploy.parameters] and, as a fallback,
// [ENV.global.parameters]. If the file does not exist, it returns the zero value; if the
// file lacks the requested environment, it returns an error.
func ReadSAMConfig(dir, environment string) (SAMConfig, error) {
	asked := environment != ""
	if !asked {
		environment = defaultConfigEnv
	}
	for _, name := range samconfigNames {
		path := filepath.Join(dir, name)
		source, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return SAMConfig{}, fmt.Errorf("read samconfig: %w", err)
		}
		c, found, err := parseSAMConfig(path, source, environment)
		if err == nil && asked && !found {
			err = fmt.Errorf("%s has no environment %q", path, environment)
		}
		return c, err
	}
	if asked && environment != defaultConfigEnv {
		return SAMConfig{}, fmt.Errorf("there is no samconfig.toml in %s, so no environment %q", dir, environment)
	}
	return SAMConfig{}, nil
}

func parseSAMConfig(path string, source []byte, environment string) (c SAMConfig, found bool, err error) {
	c = SAMConfig{File: path, Environment: environment, Parameters: map[string]string{}}
	if len(source) > maxFile {
		return c, false, fmt.Errorf("%s has more than %d bytes", path, maxFile)
	}
	var all map[string]any
	if strings.HasSuffix(path, ".toml") {
		if err := toml.Unmarshal(source, &all); err != nil {
			var at *toml.DecodeError
			if errors.As(err, &at) {
				line, column := at.Position()
				return c, false, fmt.Errorf("%s:%d:%d: %w", path, line, column, err)
			}
			return c, false, fmt.Errorf("%s: %w", path, err)
		}
	} else {
		n, err := Parse(path, source)
		if err != nil {
			return c, false, err
		}
		all, _ = n.plain().(map[string]any)
	}
	env, found := all[environment].(map[string]any)
	for _, command := range []string{"global", "deploy"} {
		section, _ := env[command].(map[string]any)
		parameters, _ := section["parameters"].(map[string]any)
		if s, ok := parameters["region"].(string); ok {
			c.Region = s
		}
		if s, ok := parameters["stack_name"].(string); ok {
			c.StackName = s
		}
		if err := c.override(parameters["parameter_overrides"]); err != nil {
			return c, found, fmt.Errorf("%s: [%s.%s.parameters] parameter_overrides: %w", path, environment, command, err)
		}
	}
	return c, found, nil
}

// override accepts the forms of parameter_overrides: a text, a list or a table.
func (c *SAMConfig) override(v any) error {
	switch v := v.(type) {
	case nil:
	case string:
		return ParseOverrides(c.Parameters, v)
	case []any:
		for _, item := range v {
			if err := c.override(item); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, value := range v {
			c.Parameters[name] = fmt.Sprint(value)
		}
	default:
		return fmt.Errorf("%v is neither text nor a list", v)
	}
	return nil
}

// ParseOverrides reads NAME=VALUE pairs as `sam deploy --parameter-overrides` takes them:
// separated by spaces, with optional quotes around values; or
// ParameterKey=NAME,ParameterValue=VALUE.
func ParseOverrides(into map[string]string, text string) error {
	words, err := splitWords(text)
	if err != nil {
		return err
	}
	for _, word := range words {
		if rest, ok := strings.CutPrefix(word, "ParameterKey="); ok {
			name, value, found := strings.Cut(rest, ",ParameterValue=")
			if !found {
				return fmt.Errorf("%q: write ParameterKey=NAME,ParameterValue=VALUE", word)
			}
			into[name] = value
			continue
		}
		name, value, found := strings.Cut(word, "=")
		if !found || name == "" {
			return fmt.Errorf("%q: write NAME=VALUE", word)
		}
		into[name] = value
	}
	return nil
}

// splitWords splits text at spaces that are not in quotes, and removes the quotes.
func splitWords(text string) (words []string, _ error) {
	var b strings.Builder
	var quote byte
	inWord := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 < len(text) && quote != '\'':
			i++
			b.WriteByte(text[i])
			inWord = true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			b.WriteByte(c)
		case c == '"' || c == '\'':
			quote, inWord = c, true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if inWord {
				words = append(words, b.String())
				b.Reset()
				inWord = false
			}
		default:
			b.WriteByte(c)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("%q: a quote is not closed", text)
	}
	if inWord {
		words = append(words, b.String())
	}
	return words, nil
}

// plain returns a node as encoding/json would decode it, except for numbers, which are
// strings.
func (n *Node) plain() any {
	switch n.Kind {
	case List:
		out := make([]any, len(n.Items))
		for i, item := range n.Items {
			out[i] = item.plain()
		}
		return out
	case Map:
		out := make(map[string]any, len(n.Members))
		for _, m := range n.Members {
			out[m.Name] = m.Value.plain()
		}
		return out
	case Null:
		return nil
	}
	return n.Text
}
