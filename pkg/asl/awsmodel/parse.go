package awsmodel

import "strings"

// parse reads the table of a service, in the format that generate.py documents.
func parse(name, text string) *Service {
	s := &Service{
		Name: name, operations: map[string]*Operation{}, exceptions: map[string]string{},
		lines: map[string]string{}, structures: map[string]*Structure{},
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "id="):
			s.head(line)
		case strings.HasPrefix(line, "="):
			o := s.parseOperation(line[1:])
			s.operations[strings.ToLower(o.Name[:1])+o.Name[1:]] = o
		case strings.HasPrefix(line, "!"):
			code, exception, _ := strings.Cut(line[1:], " ")
			s.exceptions[code] = exception
		default:
			structure, members, _ := strings.Cut(line, " ")
			s.lines[structure] = members
		}
	}
	return s
}

func (s *Service) head(line string) {
	fields := map[string]*string{
		"id": &s.ID, "prefix": &s.Prefix, "env": &s.Variable, "protocol": &s.Protocol, "signing": &s.Signing,
		"version": &s.Version, "json": &s.JSONVersion, "target": &s.Target,
		"querycompatible": &s.QueryCompatible,
	}
	for field := range strings.FieldsSeq(line) {
		key, value, _ := strings.Cut(field, "=")
		if to := fields[key]; to != nil {
			*to = value
		}
	}
}

func (s *Service) parseOperation(line string) *Operation {
	f := strings.Fields(line)
	o := &Operation{service: s, Name: f[0], Method: f[1], URI: f[2], input: f[3], output: f[4]}
	if f[5] != "-" {
		o.Wrapper = f[5]
	}
	if len(f) > 6 {
		o.Namespace = f[6]
	}
	return o
}

// parseMember reads Member[!]:TYPE[,ATTRIBUTE...].
func parseMember(text string) Member {
	parts := strings.Split(text, ",")
	name, kind, _ := strings.Cut(parts[0], ":")
	m := Member{Name: strings.TrimSuffix(name, "!"), Required: strings.HasSuffix(name, "!"), Type: parseType(kind)}
	m.Wire = m.Name
	for _, attribute := range parts[1:] {
		value := attribute[1:]
		switch attribute[0] {
		case 'n':
			m.Wire = value
		case 'l':
			m.Place = value[0]
		case 't':
			m.Format = value
		case 'm':
			m.Item = value
		case 'k':
			m.Key = value
		case 'v':
			m.Value = value
		case 'f':
			m.Flat = true
		case 'a':
			m.Attribute = true
		case 's':
			m.Stream = true
		case 'i':
			m.Idempotency = true
		case 'x':
			m.Namespace = value
		}
	}
	return m
}

func parseType(text string) Type {
	switch text[0] {
	case List, Map:
		elem := parseType(text[1:])
		return Type{Kind: text[0], Elem: &elem}
	}
	if len(text) > 1 || text[0] >= 'A' && text[0] <= 'Z' {
		return Type{Kind: Record, Structure: text}
	}
	return Type{Kind: text[0]}
}
