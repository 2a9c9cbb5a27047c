package awsjson

import "strings"

// A partition is a part of AWS with its own DNS names.
type partition struct{ prefix, suffix, dualStack string }

// partitions are chosen by the first prefix that matches a region; the last one matches
// all.
//
// [Partitions]: https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
var partitions = [...]partition{
	{"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
	{"eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
	{"us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
	{"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
	{"us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
	{"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
	{"", "amazonaws.com", "api.aws"},
}

// Host returns the name of the service's host in a region, by the rules of the SDK.
func Host(s Service, region string, fips, dualStack bool) string {
	service := s.Name
	p := partitions[len(partitions)-1]
	for _, q := range partitions {
		if strings.HasPrefix(region, q.prefix) {
			p = q
			break
		}
	}
	suffix := p.suffix
	// The older partitions have Secrets Manager's dual stack at the ordinary name.
	ordinary := service == "secretsmanager" && (p.prefix == "" || p.prefix == "cn-" && !fips)
	if dualStack && !ordinary {
		suffix = p.dualStack
	}
	// In GovCloud these answer FIPS requests at the ordinary name.
	plain := strings.HasPrefix(region, "us-gov-") && !dualStack && (service == "ssm" || service == "dynamodb" || service == "sqs")
	if service == "states" { // it has its own rules in GovCloud
		plain = region == "us-gov-west-1" && !dualStack
		fips = fips || dualStack && strings.HasPrefix(region, "us-gov-")
	}
	if fips && !plain {
		service += "-fips"
	}
	return service + "." + region + "." + suffix
}
