package statesapi

import (
	"slices"
	"strconv"
	"strings"
)

// A Tag is a name and a value on a state machine. A nil member was not sent.
type Tag struct {
	Key   *string `json:"key"`
	Value *string `json:"value"`
}

// A TagInput is the request of [Service.Tag].
type TagInput struct {
	ResourceARN *string
	Tags        []Tag // nil if not sent
}

// Tag adds tags to a state machine, or changes their values ([TagResource]).
//
// [TagResource]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_TagResource.html
func (s *Service) Tag(in TagInput) error {
	var c constraints
	c.arn("resourceArn", in.ResourceARN)
	c.required("tags", in.Tags != nil)
	c.tags(in.Tags)
	return s.withTags(c, in.ResourceARN, func(e *entry) *Error {
		merged := mergeTags(e.tags, in.Tags)
		if err := checkTagCount(len(merged)); err != nil {
			return err
		}
		e.tags = merged
		return nil
	})
}

// An untagInput is the request of [Service.untag].
type untagInput struct {
	ResourceARN *string
	TagKeys     []string // nil if not sent
}

// untag removes tags by their keys ([UntagResource]).
//
// [UntagResource]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_UntagResource.html
func (s *Service) untag(in untagInput) error {
	var c constraints
	c.arn("resourceArn", in.ResourceARN)
	c.required("tagKeys", in.TagKeys != nil)
	c.tagKeys(in.TagKeys)
	return s.withTags(c, in.ResourceARN, func(e *entry) *Error {
		kept := make([]Tag, 0, len(e.tags))
		for _, t := range e.tags {
			if !slices.Contains(in.TagKeys, *t.Key) {
				kept = append(kept, t)
			}
		}
		e.tags = kept
		return nil
	})
}

// A listTagsInput is the request of [Service.listTags].
type listTagsInput struct{ ResourceARN *string }

// A listTagsOutput is the answer of [Service.listTags].
type listTagsOutput struct {
	Tags []Tag `json:"tags"`
}

// listTags returns the tags of a state machine ([ListTagsForResource]).
//
// [ListTagsForResource]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListTagsForResource.html
func (s *Service) listTags(in listTagsInput) (*listTagsOutput, error) {
	var c constraints
	c.arn("resourceArn", in.ResourceARN)
	out := &listTagsOutput{Tags: []Tag{}}
	a, err := taggable(c, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	e := s.get(a)
	if e == nil {
		return nil, noResource(a.full())
	}
	out.Tags = append(out.Tags, e.tags...)
	return out, nil
}

func (s *Service) withTags(c constraints, resource *string, do func(*entry) *Error) error {
	a, err := taggable(c, resource)
	if err != nil {
		return err
	}
	if s.get(a) == nil {
		return noResource(a.full())
	}
	return s.change(a, do)
}

// taggable parses the ARN of a resource that can have tags; versions and aliases cannot.
func taggable(c constraints, resource *string) (arn, *Error) {
	if err := c.err(); err != nil {
		return arn{}, err
	}
	if checkARN(*resource, "activity", 7) == nil { // activities have no tags here
		return arn{}, noResource(*resource)
	}
	a, err := parseARN(*resource)
	if err == nil && a.qualifier != "" {
		err = noResource(a.full())
	}
	return a, err
}

func noResource(arn string) *Error {
	return errorf(ResourceNotFound, "Resource not found: '%s'", arn)
}

// tags checks the members of a list of tags. AWS counts list members from 1.
func (c *constraints) tags(list []Tag) {
	for i, t := range list {
		at := "tags." + strconv.Itoa(i+1) + ".member."
		if c.required(at+"key", t.Key != nil) {
			c.text(at+"key", t.Key, 1, 128)
		}
		if c.required(at+"value", t.Value != nil) {
			c.text(at+"value", t.Value, 0, 256)
		}
	}
}

// tagKeys checks a list of keys; AWS's message lists all invalid ones at once.
func (c *constraints) tagKeys(keys []string) {
	for _, key := range keys {
		if n := characters(key); n < 1 || n > 128 {
			c.add(quoted("["+strings.Join(keys, ", ")+"]"), "tagKeys", "Member must satisfy constraint: "+
				"[Member must have length less than or equal to 128, Member must have length greater than or equal to 1]")
			return
		}
	}
}

func mergeTags(old, added []Tag) []Tag {
	merged := slices.Clone(old)
	places := make(map[string]int, len(old)+len(added))
	for i, t := range merged {
		places[*t.Key] = i
	}
	for _, t := range added {
		if i, ok := places[*t.Key]; ok {
			merged[i] = t
			continue
		}
		places[*t.Key] = len(merged)
		merged = append(merged, t)
	}
	return merged
}

func checkTagCount(n int) *Error {
	if n > maxTags {
		return errorf(TooManyTags, "Too many tags: a resource can have %d", maxTags)
	}
	return nil
}
