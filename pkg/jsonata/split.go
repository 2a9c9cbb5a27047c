package jsonata

// Items returns the texts of the items of an array, which are parts of the text. It
// reports false if the text is not an array, or not valid JSON.
func Items(text []byte) (items [][]byte, ok bool) {
	s := scanner{text: text}
	s.space()
	if !s.at('[') {
		return nil, false
	}
	s.pos++
	s.space()
	items = [][]byte{}
	if s.at(']') {
		s.pos++
	} else {
		for {
			from := s.pos
			if !s.value(1) {
				return nil, false
			}
			items = append(items, text[from:s.pos:s.pos])
			s.space()
			if s.at(']') {
				s.pos++
				break
			}
			if !s.at(',') {
				return nil, false
			}
			s.pos++
			s.space()
		}
	}
	s.space()
	if s.pos != len(text) {
		return nil, false
	}
	return items, true
}

// MemberText returns the text of an object's member, the last of that name, which is a part
// of the text. It reports false if there is none, or if the text is not an object in valid
// JSON.
func MemberText(text []byte, name string) (member []byte, ok bool) {
	s := scanner{text: text}
	if !s.isObject() {
		return nil, false
	}
	valid := s.object(1, func(at, from, to int) {
		d := decoder{text: text, pos: at}
		if found, _ := d.str(); found == name {
			member, ok = text[from:to:to], true
		}
	})
	s.space()
	if !valid || s.pos != len(text) {
		return nil, false
	}
	return member, ok
}
