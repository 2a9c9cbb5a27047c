package config

import "strings"

func (d *document) requireSecrets(r *Route) {
	if !d.secrets || d.foreign || r.HTTP == nil {
		return
	}
	for field, ref := range r.HTTP.Verify.ReferencesByField() {
		d.requireSecret(r, "verify."+field, ref)
	}
}

func (d *document) requireSecret(r *Route, key, ref string) {
	name, ok := strings.CutPrefix(ref, "env:")
	if !ok || !isVariableName(name) || d.getenv(name) != "" {
		return
	}
	d.problems = append(d.problems, finding{Problem: r.Problem(key, "route "+r.Name+": the secret "+ref+" is missing: set the environment variable "+name+" of the function; locally in env.json (--env-vars)")})
}
