package asl

import (
	"encoding/json"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

func (p *parser) mapFields(s *state, o *jsonata.Object, at string) {
	s.reader, s.batcher = p.itemReader(o, at), p.itemBatcher(o, at)
	if writer, ok := o.Get("ResultWriter"); ok {
		writer, _ := writer.(*jsonata.Object)
		s.writer = hasKey(writer, "Resource")
	}
	s.itemSelector = p.template(o, "ItemSelector", at)
	if s.jsonata {
		s.items = p.itemsField(o, at)
	} else {
		s.itemsPath, _ = p.path(o, "ItemsPath", at)
		if s.itemSelector == nil {
			s.itemSelector = p.template(o, "Parameters", at) // the legacy name
		}
	}
	s.concurrency = p.amount(o, "MaxConcurrency", at, 0)
	s.toleratedCount = p.amount(o, "ToleratedFailureCount", at, 0)
	s.toleratedPercent = p.percentage(o, "ToleratedFailurePercentage", at)
	p.processor(s, o, at)
}

// itemsField reads Items: an array, in which there may be expressions, or an expression.
func (p *parser) itemsField(o *jsonata.Object, at string) *template {
	v, has := o.Get("Items")
	if !has {
		return nil
	}
	text, isText := v.(string)
	if _, isArray := v.([]any); !isArray && !(isText && isExpression(text)) {
		p.schema(at+"/Items", "Value must be an array or a JSONata expression")
	}
	return p.template(o, "Items", at)
}

func (p *parser) processor(s *state, o *jsonata.Object, at string) {
	field := "ItemProcessor"
	if !hasKey(o, field) {
		field = "Iterator"
	}
	v, _ := o.Get(field)
	processor, ok := v.(*jsonata.Object)
	if !ok {
		p.schema(at+"/ItemProcessor", "The field 'ItemProcessor' is required")
		return
	}
	p.fields(processor, at+"/"+field, flowFields, []string{"ProcessorConfig"})
	if v, has := processor.Get("ProcessorConfig"); has {
		config, _ := v.(*jsonata.Object)
		mode, _ := config.Get("Mode")
		s.distributed = mode == "DISTRIBUTED"
	}
	s.branches = []*flow{p.flow(processor, at+"/"+field)}
}

func (p *parser) percentage(o *jsonata.Object, field, at string) amount {
	if a, ok := p.dynamic(o, field, at); ok {
		return a
	}
	v, has := o.Get(field)
	if !has {
		return amount{}
	}
	n, ok := v.(json.Number)
	f, err := n.Float64()
	if !ok || err != nil || f < 0 || f > 100 {
		p.schema(at+"/"+field, "Value is not a number between 0 and 100")
	}
	return amount{field: field, constant: f}
}
