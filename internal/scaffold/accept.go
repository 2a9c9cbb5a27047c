package scaffold

import (
	"errors"

	"github.com/expressway-dev/expressway/internal/sources"
)

// The logical ids and the variables of webhooks that are accepted first, and of the bucket
// of large inputs.
const (
	idAccepted     = "AcceptedQueue"
	idAcceptedDead = "AcceptedDeadLetters"
	idInputs       = "LargeInputsBucket"

	acceptedVar     = "ACCEPTED_QUEUE_URL"
	acceptedDeadVar = "ACCEPTED_DEAD_LETTERS_URL"
	inputsVar       = "LARGE_INPUTS_BUCKET"
)

// chooseAccept adds to the webhooks what Accept and Offload ask for.
func (p *plan) chooseAccept() error {
	if !p.Accept && !p.Offload {
		return nil
	}
	if !p.from(sources.HTTP) {
		return errors.New("--queue-webhooks and --offload are about webhooks: add http to --from")
	}
	for _, id := range []string{idAccepted, idAcceptedDead, idInputs} {
		if p.has(id) && !p.has(idWebhook) {
			return errors.New("the template already has a resource " + id)
		}
	}
	for _, h := range p.hooks {
		if p.Accept {
			h.yaml += "    queue: ${" + p.acceptedVar() + "}\n    deadLetterQueue: ${" + acceptedDeadVar + "}\n"
		}
		if p.Offload {
			h.yaml += "    offload: s3://${" + inputsVar + "}/webhooks\n"
		}
	}
	return nil
}

// acceptedVar is the variable of the queue, which CDK and Terraform give by its ARN to the
// function that it feeds.
func (p *plan) acceptedVar() string {
	if p.IaC == "sam" {
		return acceptedVar
	}
	return "ACCEPTED_QUEUE"
}

// acceptedVisibility is the VisibilityTimeout of the queue, in seconds: six times the
// function's timeout, and long enough that the receives before a message is dead-lettered
// outlast the claim of a delivery whose function was killed.
func (p *plan) acceptedVisibility() int { return max(6*p.queueTime, 90) }

// startsIn reports whether the function of an id starts executions.
func (p *plan) startsIn(id string) bool { return id != idWebhook || !p.Accept }

// remembersIn reports whether the function of an id has the dedupe table.
func (p *plan) remembersIn(id string) bool {
	if p.Accept {
		return id == idQueue && p.dedupes()
	}
	return id == idWebhook && p.dedupes()
}

// acceptEnvironment are the variables for queue and offload.
func (p *plan) acceptEnvironment(w *writer, indent, id string) {
	if p.Accept && id != idEvents {
		w.f("%s%s: !Ref %s", indent, p.acceptedVar(), idAccepted)
	}
	if p.Accept && id == idQueue {
		w.f("%s%s: !Ref %s", indent, acceptedDeadVar, idAcceptedDead)
	}
	if p.Offload && id == idWebhook {
		w.f("%s%s: !Ref %s", indent, inputsVar, idInputs)
	}
}

// acceptStatements are the permissions for queue and offload.
func (p *plan) acceptStatements(w *writer, indent, id string) {
	allow := func(action, resource string) {
		w.f("%s- Effect: Allow", indent)
		w.f("%s  Action: %s", indent, action)
		w.f("%s  Resource: %s", indent, resource)
	}
	if p.Accept && id == idWebhook {
		allow("sqs:SendMessage", "!GetAtt "+idAccepted+".Arn")
	}
	if p.Accept && id == idQueue {
		allow("sqs:SendMessage", "!GetAtt "+idAcceptedDead+".Arn")
		if p.dedupes() {
			w.f("%s# A delivery that another attempt holds comes back when its claim is over.", indent)
			allow("sqs:ChangeMessageVisibility", "!GetAtt "+idAccepted+".Arn")
		}
	}
	if p.Offload && id == idWebhook {
		allow("s3:PutObject", "!Sub \"${"+idInputs+".Arn}/webhooks/*\"")
	}
}

// acceptResources are the queue and the bucket.
func (p *plan) acceptResources(w *writer) {
	if p.Accept {
		w.f("%s:", idAccepted)
		w.f("  Type: AWS::SQS::Queue")
		p.queueMetadata(w)
		w.f("  # A webhook that was acknowledged is nowhere else.")
		w.f("  DeletionPolicy: Retain")
		w.f("  UpdateReplacePolicy: Retain")
		p.queueProperties(w, p.acceptedVisibility(), idAcceptedDead)
	}
	if p.Offload {
		w.f("%s:", idInputs)
		w.f("  Type: AWS::S3::Bucket")
		if p.operated() {
			w.f("  Metadata:")
			w.f("    checkov:")
			w.f("      skip:")
			w.f("        - {id: CKV_AWS_18, comment: \"Only the functions read and write it, and CloudTrail can record that.\"}")
			w.f("        - {id: CKV_AWS_21, comment: \"An object is written once, under a name of its own.\"}")
		}
		w.f("  DeletionPolicy: Retain")
		w.f("  UpdateReplacePolicy: Retain")
		w.f("  Properties:")
		w.f("    BucketEncryption:")
		w.f("      ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]")
		w.f("    PublicAccessBlockConfiguration: {BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}")
		w.f("    OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}")
		w.f("    LifecycleConfiguration:")
		w.f("      # Longer than a message that refers to an object is kept.")
		w.f("      Rules: [{Id: forget, Status: Enabled, ExpirationInDays: 30}]")
		w.f("LargeInputsPolicy:")
		w.f("  Type: AWS::S3::BucketPolicy")
		w.f("  Properties:")
		w.f("    Bucket: !Ref %s", idInputs)
		w.f("    PolicyDocument:")
		w.f("      Version: \"2012-10-17\"")
		w.f("      Statement:")
		w.f("        - Effect: Deny")
		w.f("          Principal: \"*\"")
		w.f("          Action: \"s3:*\"")
		w.f("          Resource: [!GetAtt %s.Arn, !Sub \"${%s.Arn}/*\"]", idInputs, idInputs)
		w.f("          Condition: {Bool: {\"aws:SecureTransport\": \"false\"}}")
	}
}
