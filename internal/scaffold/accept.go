package scaffold

import (
	"errors"

	"github.com/expressway-dev/expressway/internal/sources"
)

// The logical ids and the variables for webhooks that are put into a queue first, and for
// the bucket of large inputs.
const (
	idAccepted     = "AcceptedQueue"
	idAcceptedDead = "AcceptedDeadLetters"
	idInputs       = "LargeInputsBucket"

	acceptedVar     = "ACCEPTED_QUEUE_URL"
	acceptedDeadVar = "ACCEPTED_DEAD_LETTERS_URL"
	inputsVar       = "LARGE_INPUTS_BUCKET"
)

// chooseAccept adds the queue and the bucket to the webhooks, as Accept and Offload ask.
func (p *plan) chooseAccept() error {
	if !p.Accept && !p.Offload {
		return nil
	}
	if !p.from(sources.HTTP) {
		return errors.New("--queue-webhooks and --offload apply to webhooks: add http to --from")
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

// acceptedVar returns the variable for the queue. With CDK and Terraform, it is the one
// that the queue function has for the queue's ARN.
func (p *plan) acceptedVar() string {
	if p.IaC == "sam" {
		return acceptedVar
	}
	return "ACCEPTED_QUEUE"
}

// acceptedVisibility returns the VisibilityTimeout of the queue, in seconds: six times the
// function's timeout, and long enough that a message is not dead-lettered before the
// claim of a killed function has expired.
func (p *plan) acceptedVisibility() int { return max(6*p.queueTime, 90) }

// startsIn reports whether the function of an id starts executions.
func (p *plan) startsIn(id string) bool { return id != idWebhook || !p.Accept }

// remembersIn reports whether the function of an id uses the dedupe table.
func (p *plan) remembersIn(id string) bool {
	if p.Accept {
		return id == idQueue && p.dedupes()
	}
	return id == idWebhook && p.dedupes()
}

// acceptEnvironment writes the variables for queue and offload.
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

// acceptStatements writes the permissions for queue and offload.
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
			w.f("%s# A delivery that another attempt has claimed is received again when the claim has expired.", indent)
			allow("sqs:ChangeMessageVisibility", "!GetAtt "+idAccepted+".Arn")
		}
	}
	if p.Offload && id == idWebhook {
		allow("s3:PutObject", "!Sub \"${"+idInputs+".Arn}/webhooks/*\"")
	}
}

// acceptResources writes the queue and the bucket.
func (p *plan) acceptResources(w *writer) {
	if p.Accept {
		w.f("%s:", idAccepted)
		w.f("  Type: AWS::SQS::Queue")
		p.queueMetadata(w)
		w.f("  # An acknowledged webhook exists nowhere else.")
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
			w.f("        - {id: CKV_AWS_18, comment: \"Only the functions read and write it, and CloudTrail can record their access.\"}")
			w.f("        - {id: CKV_AWS_21, comment: \"Each object is written once, under a unique name.\"}")
		}
		w.f("  DeletionPolicy: Retain")
		w.f("  UpdateReplacePolicy: Retain")
		w.f("  Properties:")
		w.f("    BucketEncryption:")
		w.f("      ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]")
		w.f("    PublicAccessBlockConfiguration: {BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}")
		w.f("    OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}")
		w.f("    LifecycleConfiguration:")
		w.f("      # Objects are kept longer than the messages that refer to them.")
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
