package devserver

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// A Machine is a state machine that is not a file of a folder.
type Machine struct {
	// Name is the name of the state machine, and Kind is [statesapi.Express] or
	// [statesapi.Standard].
	Name, Kind string
	Definition []byte
	// Source is the file of the definition. Substituted says that the file contains
	// substitutions, and is therefore not loaded as a state machine of a folder.
	Source      string
	Substituted bool
	// Place returns file:line:column of a place in the definition.
	Place func(pointer string, line, column int) string
}

// loadMachines registers the state machines of the folder, and those from elsewhere.
func loadMachines(states *statesapi.Service, o Options) error {
	var machines []Machine
	if o.Machines != nil {
		var err error
		if machines, err = o.Machines(); err != nil {
			return err
		}
	}
	var problems []error
	if o.StateMachines != "" {
		problems = append(problems, states.LoadDir(o.StateMachines, substituted(machines)...))
	}
	for _, m := range machines {
		problems = append(problems, putMachine(states, m))
	}
	return errors.Join(problems...)
}

// substituted returns the files of definitions that differ from the machines, because
// values are substituted into them first.
func substituted(machines []Machine) []string {
	var out []string
	for _, m := range machines {
		if m.Substituted {
			out = append(out, m.Source)
		}
	}
	return out
}

func putMachine(states *statesapi.Service, m Machine) error {
	err := states.PutKind(m.Name, m.Kind, m.Definition)
	var refused *statesapi.Error
	if !errors.As(err, &refused) || refused.Code != statesapi.InvalidDefinition {
		if err != nil {
			return fmt.Errorf("%s: the state machine %s: %w", m.Source, m.Name, err)
		}
		return nil
	}
	var lines []string
	for _, d := range states.Check(m.Definition, m.Kind) {
		if !d.Warning {
			lines = append(lines, fmt.Sprintf("%s: %s", m.Place(d.Location, d.Line, d.Column), d.Message))
		}
	}
	if len(lines) == 0 {
		return fmt.Errorf("%s: the state machine %s: %w", m.Source, m.Name, err)
	}
	return errors.New(strings.Join(lines, "\n"))
}
