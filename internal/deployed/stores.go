package deployed

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/internal/awserr"
	"github.com/expressway-dev/expressway/internal/awsjson"
	"github.com/expressway-dev/expressway/internal/words"
)

// dedupeTable is the variable that names the table of deliveries.
const dedupeTable = "EXPRESSWAY_DEDUPE_TABLE"

// The attributes of a dedupe table, and the one that makes items of a wait table expire.
const (
	dedupeKey  = "id"
	expiration = "expiration"
)

// minDays is how long a message that refers to an object may be kept.
const minDays = 14

// A table has the description of a DynamoDB table.
type table struct {
	keys   []string // partition key, sort key
	kinds  map[string]string
	status string
	// ttl is the attribute that makes items expire; empty for none, or if unread.
	ttl     string
	ttlRead bool
}

// stores reads tables and buckets.
type stores struct {
	getenv func(string) string
	dynamo *awsjson.Client
	tables map[string]*table
	failed map[string]error // by table or bucket
}

func newStores(getenv func(string) string) (*stores, error) {
	client, err := awsjson.New(getenv, awsjson.DynamoDB)
	if err != nil {
		return nil, err
	}
	return &stores{getenv: getenv, dynamo: client, tables: map[string]*table{}, failed: map[string]error{}}, nil
}

// call calls an operation of DynamoDB, with an error that names the permission.
func (s *stores) call(ctx context.Context, operation, name string, out any) error {
	err := s.dynamo.Call(ctx, operation, map[string]string{"TableName": name}, out)
	var refused *awsjson.Error
	code := ""
	if errors.As(err, &refused) {
		code = refused.Code
	}
	return awserr.Named("dynamodb:"+operation, code, err)
}

// table describes a table, once.
func (s *stores) table(ctx context.Context, name string) (*table, error) {
	if t, ok := s.tables[name]; ok {
		return t, s.failed[name]
	}
	var out struct {
		Table struct {
			TableStatus          string
			KeySchema            []struct{ AttributeName string }
			AttributeDefinitions []struct{ AttributeName, AttributeType string }
		}
	}
	if err := s.call(ctx, "DescribeTable", name, &out); err != nil {
		s.tables[name], s.failed[name] = nil, err
		return nil, err
	}
	t := &table{status: out.Table.TableStatus, kinds: map[string]string{}}
	for _, k := range out.Table.KeySchema {
		t.keys = append(t.keys, k.AttributeName)
	}
	for _, a := range out.Table.AttributeDefinitions {
		t.kinds[a.AttributeName] = a.AttributeType
	}
	var ttl struct {
		TimeToLiveDescription struct{ TimeToLiveStatus, AttributeName string }
	}
	err := s.call(ctx, "DescribeTimeToLive", name, &ttl)
	if d := ttl.TimeToLiveDescription; err == nil {
		t.ttlRead = true
		if d.TimeToLiveStatus == "ENABLED" || d.TimeToLiveStatus == "ENABLING" {
			t.ttl = cmp.Or(d.AttributeName, expiration)
		}
	}
	s.tables[name], s.failed[name] = t, err
	return t, err
}

// checkTable checks the key of a table, and how its items are removed. Purpose describes
// what the table is for.
func (s *stores) checkTable(ctx context.Context, place, rule, name, purpose, key, kind string, add adder) {
	t, err := s.table(ctx, name)
	if errors.Is(err, awserr.ErrNotFound) {
		add(Error, rule, place, fmt.Sprintf("the table %s (%s) does not exist: every delivery that needs it fails", name, purpose), "Create it with the partition key "+key+", or correct its name")
		return
	}
	if err != nil {
		add(Warning, "not-read", place, err.Error()+": what depends on it was not checked", awserr.Cure(err))
	}
	if t == nil {
		return
	}
	switch {
	case t.status != "" && t.status != "ACTIVE" && t.status != "UPDATING":
		add(Error, rule, place, fmt.Sprintf("the table %s (%s) is %s", name, purpose, t.status), "Wait until it is ACTIVE, or create it again")
	case !slices.Equal(t.keys, []string{key}):
		add(Error, rule, place, fmt.Sprintf("the table %s (%s) has the key %s, but is used with the key %s", name, purpose, strings.Join(t.keys, " and "), key), "Create a table with the partition key "+key+" alone, and name that")
	case kind != "" && t.kinds[key] != kind:
		add(Error, rule, place, fmt.Sprintf("the key %s of the table %s (%s) is of the type %s, and must be %s", key, name, purpose, t.kinds[key], kind), "Create a table whose key is of the type "+kind)
	}
	switch {
	case t.ttlRead && t.ttl == "":
		add(Warning, rule, place, fmt.Sprintf("the table %s (%s) has no time to live: its items stay forever, and are paid for", name, purpose), "aws dynamodb update-time-to-live --table-name "+name+" --time-to-live-specification Enabled=true,AttributeName="+expiration)
	case t.ttlRead && rule == "dedupe-table" && t.ttl != expiration:
		add(Warning, rule, place, fmt.Sprintf("the time to live of the table %s is by the attribute %s, which its records do not have: they stay forever", name, t.ttl), "Set the time to live to the attribute "+expiration)
	}
}

// A bucketRule is a lifecycle rule.
type bucketRule struct {
	Status     string
	Expiration struct{ Days int }
}

// get reads a configuration of a bucket into out. Absent reports that the bucket has none.
func (s *stores) get(ctx context.Context, bucket, what, action string, out any) (absent bool, _ error) {
	cfg, err := awsenv.Config(s.getenv, "S3")
	if err != nil {
		return false, err
	}
	base := aws.ToString(cfg.BaseEndpoint)
	if base == "" {
		base = "https://" + awsjson.Host(awsjson.Service{Name: "s3", Variable: "S3"}, cfg.Region, awsenv.FIPS(s.getenv), awsenv.DualStack(s.getenv))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(base, "/")+"/"+url.PathEscape(bucket)+"?"+what+"=", nil)
	if err != nil {
		return false, fmt.Errorf("the name of the bucket %s does not form a URL", bucket)
	}
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // the hash of no body
	req.Header.Set("X-Amz-Content-Sha256", empty)
	keys, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return false, err
	}
	if err := v4.NewSigner().SignHTTP(ctx, keys, req, empty, "s3", cfg.Region, time.Now(), func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }); err != nil {
		return false, err
	}
	resp, err := awshttp.NewBuildableClient().WithTimeout(bucketLimit).Do(req)
	if err != nil {
		return false, awserr.Named(action, "", fmt.Errorf("%w: %w", awserr.ErrUnreachable, err))
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBucketAnswer))
	if err != nil {
		return false, awserr.Named(action, "", err)
	}
	var refused struct{ Code, Message string }
	switch {
	case resp.StatusCode == http.StatusOK:
		if err := xml.Unmarshal(body, out); err != nil {
			return false, awserr.Named(action, "", fmt.Errorf("the answer cannot be read: %w", err))
		}
		return false, nil
	case resp.StatusCode/100 == 3:
		return false, awserr.Named(action, "", errors.New("the bucket is in another region: name it with --region"))
	}
	_ = xml.Unmarshal(body, &refused) // some answers have no body
	if refused.Code == "NoSuchLifecycleConfiguration" || refused.Code == "ServerSideEncryptionConfigurationNotFoundError" {
		return true, nil
	}
	return false, awserr.Named(action, refused.Code, fmt.Errorf("%s: %s", cmp.Or(refused.Code, resp.Status), refused.Message))
}

const (
	bucketLimit     = 10 * time.Second
	maxBucketAnswer = 1 << 20
)

// checkBucket checks that a bucket of large inputs encrypts its objects, and eventually
// removes them.
func (s *stores) checkBucket(ctx context.Context, place, bucket string, add adder) {
	unread := func(err error) bool {
		switch {
		case errors.Is(err, awserr.ErrNotFound):
			add(Error, "offload-bucket", place, fmt.Sprintf("there is no bucket %s: every large input is refused", bucket), "Create it, or correct its name")
		case err != nil:
			add(Warning, "not-read", place, err.Error()+": what depends on it was not checked", awserr.Cure(err))
		}
		return err != nil
	}
	var encryption struct{}
	absent, err := s.get(ctx, bucket, "encryption", "s3:GetEncryptionConfiguration", &encryption)
	if unread(err) && errors.Is(err, awserr.ErrNotFound) {
		return
	}
	if absent {
		add(Warning, "offload-bucket", place, fmt.Sprintf("the bucket %s sets no encryption, but holds payload", bucket), "Set BucketEncryption")
	}
	var cycle struct {
		Rule []bucketRule
	}
	absent, err = s.get(ctx, bucket, "lifecycle", "s3:GetLifecycleConfiguration", &cycle)
	if unread(err) {
		return
	}
	days := 0
	for _, r := range cycle.Rule {
		if r.Status == "Enabled" && r.Expiration.Days > 0 && (days == 0 || r.Expiration.Days < days) {
			days = r.Expiration.Days
		}
	}
	switch {
	case absent || days == 0:
		add(Warning, "offload-bucket", place, fmt.Sprintf("nothing removes the objects of the bucket %s: payload stays forever, and is paid for", bucket), fmt.Sprintf("Add a LifecycleConfiguration whose ExpirationInDays is %d or more", minDays))
	case days < minDays:
		add(Warning, "offload-bucket", place, fmt.Sprintf("the bucket %s removes objects after %s, but a message that refers to one may be kept for %s: it then fails for good", bucket, words.Count(days, "day"), words.Count(minDays, "day")), fmt.Sprintf("Set ExpirationInDays to %d or more", minDays))
	}
}

// CheckStores checks the table of deliveries that the functions name.
func (s *Stack) CheckStores(ctx context.Context, getenv func(string) string) ([]Finding, error) {
	stores, err := newStores(getenv)
	if err != nil {
		return nil, err
	}
	var out []Finding
	seen := map[string]bool{}
	for _, f := range s.Functions {
		name := f.variables()[dedupeTable]
		if name == "" || seen[name] {
			continue
		}
		seen[name] = true
		stores.checkTable(ctx, f.ID+"."+dedupeTable, "dedupe-table", name, "remembered deliveries", dedupeKey, "S", collect(&out))
	}
	return sorted(out), ctx.Err()
}

// collect returns an adder to a list.
func collect(out *[]Finding) adder {
	return func(severity Severity, rule, resource, message, cure string) {
		*out = append(*out, Finding{severity, rule, resource, message, cure})
	}
}
