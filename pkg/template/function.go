package template

import (
	"path/filepath"
	"strings"
)

const (
	samFunction = "AWS::Serverless::Function"
	cfnFunction = "AWS::Lambda::Function"
)

// defaultTimeout is the timeout of a function that names none, in seconds.
const defaultTimeout = 3

// A Function is a Lambda function of a template.
type Function struct {
	*Resource
	// Variables are its environment variables, in the order of the file.
	Variables []ValueMember
}

// Functions returns the functions, in the order of the file.
func (t *Template) Functions() []*Function {
	var out []*Function
	for _, r := range t.Of(samFunction, cfnFunction) {
		f := &Function{Resource: r}
		if v := r.Get("Environment", "Variables"); v != nil {
			f.Variables = v.Members
		}
		out = append(out, f)
	}
	return out
}

// Variable returns the value of a variable, or nil.
func (f *Function) Variable(name string) *Value {
	for i := range f.Variables {
		if f.Variables[i].Name == name {
			return f.Variables[i].Value
		}
	}
	if v := f.Get("Environment", "Variables"); v != nil && v.Kind == Unknown {
		return v
	}
	return nil
}

// Timeout returns the timeout in seconds, and whether it is known.
func (f *Function) Timeout() (int, bool) {
	v := f.Get("Timeout")
	if v == nil {
		return defaultTimeout, true
	}
	return v.Int()
}

// Folder returns the folder of the function's code, or "" if it is not on this machine.
func (f *Function) Folder() string {
	v := f.Get("CodeUri")
	if f.Type == cfnFunction {
		v = f.Get("Code")
	}
	if f.Type == samFunction && v == nil {
		return filepath.Dir(f.template.File)
	}
	s, known := v.String()
	if !known || strings.Contains(s, "://") {
		return ""
	}
	if filepath.IsAbs(s) {
		return s
	}
	return filepath.Join(filepath.Dir(f.template.File), filepath.FromSlash(s))
}

// Is reports whether a value is this function: its name, its ARN, or the ARN of an alias
// or a version of it. It is not if an unknown part of the value might change the
// function.
func (f *Function) Is(v *Value) bool {
	s, known := v.String()
	if v.IsUnknown() || s == "" {
		return false
	}
	arn, _ := f.ARN().String()
	name, _ := f.Name().String()
	if s == arn || s == name {
		return true
	}
	return strings.HasPrefix(s, arn+":") && strings.Count(s, ":") == 7 || known && s == name
}

// functionOf returns the function that a value is, or nil.
func functionOf(functions []*Function, v *Value) *Function {
	for _, f := range functions {
		if f.Is(v) {
			return f
		}
	}
	return nil
}
