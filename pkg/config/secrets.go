package config

import (
	"strconv"
	"strings"
)

func (d *document) requireSecrets(r *Route) {
	if !d.secrets || d.foreign || r.HTTP == nil {
		return
	}
	spec := &r.HTTP.Verify
	for i, ref := range spec.Secrets {
		d.requireSecret(r, "verify.secrets."+strconv.Itoa(i), ref)
	}
	if k := spec.Signature; k != nil && k.Keys != nil {
		for i, ref := range k.Keys.Roots {
			d.requireSecret(r, "verify.signature.keys.roots."+strconv.Itoa(i), ref)
		}
	}
	if spec.Token != nil {
		d.requireSecret(r, "verify.token", spec.Token.Reference)
	}
}

func (d *document) requireSecret(r *Route, key, ref string) {
	name, ok := strings.CutPrefix(ref, "env:")
	if !ok || !isVariableName(name) || d.getenv(name) != "" {
		return
	}
	d.problems = append(d.problems, r.Problem(key, "route "+r.Name+": the secret "+ref+" is missing: set the environment variable "+name+" of the function; locally in env.json (--env-vars)"))
}
