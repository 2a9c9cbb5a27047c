package wiring

import (
	"strings"

	"github.com/expressway-dev/expressway/pkg/template"
)

// keyProperties are where resources that routes use name the KMS key that encrypts them.
var keyProperties = map[string][]string{
	"AWS::SQS::Queue":              {"KmsMasterKeyId"},
	"AWS::DynamoDB::Table":         {"SSESpecification", "KMSMasterKeyId"},
	"AWS::Serverless::SimpleTable": {"SSESpecification", "KMSMasterKeyId"},
	"AWS::SecretsManager::Secret":  {"KmsKeyId"},
}

// keyActions are what a caller must be allowed to do with the key of what it uses: SQS,
// DynamoDB, Secrets Manager and S3 use it in the name of the caller.
var keyActions = map[string][]string{
	"sqs:SendMessage":               {"kms:GenerateDataKey", "kms:Decrypt"},
	"sqs:ReceiveMessage":            {"kms:Decrypt"},
	"dynamodb:PutItem":              {"kms:Decrypt"},
	"dynamodb:GetItem":              {"kms:Decrypt"},
	"secretsmanager:GetSecretValue": {"kms:Decrypt"},
	"s3:PutObject":                  {"kms:GenerateDataKey"},
}

// keyNeeds returns the permissions on keys that other needs bring with them.
func (k *checker) keyNeeds(m *member, needs []need) []need {
	var out []need
	for _, n := range needs {
		if n.unknown || n.optional || keyActions[n.action] == nil {
			continue
		}
		r := k.template.Resource(n.label)
		if n.action == "s3:PutObject" {
			r = k.bucket(n.resource)
		}
		if r != nil {
			out = append(out, k.keyNeed(r, n)...)
		}
	}
	for _, mapping := range k.mappings {
		s, known := mapping.Source.String()
		if k.of(mapping.Function) != m || !known {
			continue
		}
		if r := k.template.Resource(k.label(s)); r != nil && r.Type == "AWS::SQS::Queue" {
			out = append(out, k.keyNeed(r, need{action: "sqs:ReceiveMessage", pos: mapping.Pos()})...)
		}
	}
	return out
}

func (k *checker) keyNeed(r *template.Resource, of need) []need {
	named := keyName(r)
	if named == nil {
		return nil
	}
	of.why = "needs for " + r.ID
	return k.keyUse(named, of)
}

// keyUse returns the permissions on a key that another need brings with it.
func (k *checker) keyUse(named *template.Value, of need) []need {
	key, ok := k.keyOf(named)
	if !ok {
		return nil
	}
	label := "the key " + named.Show()
	if key != "" {
		label = k.label(key)
	}
	var out []need
	for _, action := range keyActions[of.action] {
		out = append(out, need{action: action, resource: key, route: of.route, pos: of.pos, why: of.why, label: label, key: true})
	}
	return out
}

// keyName returns the value that names a resource's key, or nil if it has none.
func keyName(r *template.Resource) *template.Value {
	if r.Type == "AWS::S3::Bucket" {
		for _, rule := range r.Get("BucketEncryption", "ServerSideEncryptionConfiguration").List() {
			if v := rule.Get("ServerSideEncryptionByDefault", "KMSMasterKeyID"); v != nil {
				return v
			}
		}
		return nil
	}
	if path, ok := keyProperties[r.Type]; ok {
		return r.Get(path...)
	}
	return nil
}

// bucket is the resource of an object's bucket.
func (k *checker) bucket(object string) *template.Resource {
	for _, r := range k.template.Of("AWS::S3::Bucket") {
		if arn, known := r.ARN().String(); known && strings.HasPrefix(object, arn+"/") {
			return r
		}
	}
	return nil
}

// keyOf returns the ARN of a key that is named by its id, its ARN or an alias; empty where
// only the account knows it. A key of AWS's own, or one that is not known, asks for
// nothing.
func (k *checker) keyOf(v *template.Value) (arn string, ok bool) {
	text, known := v.String()
	if !known || text == "" {
		return "", false
	}
	alias := text
	if i := strings.Index(text, ":alias/"); i >= 0 && strings.HasPrefix(text, "arn:") {
		alias = text[i+1:]
	}
	if strings.HasPrefix(alias, "alias/") {
		if strings.HasPrefix(alias, "alias/aws/") {
			return "", false
		}
		for _, r := range k.template.Of("AWS::KMS::Alias") {
			if r.Get("AliasName").Or("") == alias {
				return k.keyOf(r.Get("TargetKeyId"))
			}
		}
		return "", true
	}
	arn, _ = k.arn("kms", "key/", template.Text(v.Pos, text)).String()
	return arn, true
}
