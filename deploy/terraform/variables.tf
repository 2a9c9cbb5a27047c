variable "name" {
  description = "The function's name, from which those of the role and the rules are made."
  type        = string
}

variable "kind" {
  description = "What the function is: webhook, queue or event."
  type        = string

  validation {
    condition     = contains(["webhook", "queue", "event"], var.kind)
    error_message = "kind is webhook, queue or event."
  }
}

variable "config" {
  description = "The folder that holds expressway.yaml: the function's code."
  type        = string
}

variable "layer" {
  description = "The ARN of the Expressway layer's version."
  type        = string
}

variable "architecture" {
  description = "arm64 or x86_64, like the layer."
  type        = string
  default     = "arm64"
}

variable "machines" {
  description = "ARNs of state machines, by the variable that start: reads. The ARN of an alias or a version also works; the permission is then for the machine."
  type        = map(string)
  default     = {}
}

variable "environment" {
  description = "Further variables, such as secrets that env: references name."
  type        = map(string)
  default     = {}
  sensitive   = true
}

variable "dedupe_table" {
  description = "The name of the DynamoDB table in which routes with dedupe remember deliveries; null for none."
  type        = string
  default     = null
}

variable "waiting" {
  description = "ARNs of the state machines whose tasks wait for routes with resume."
  type        = list(string)
  default     = []
}

variable "tables" {
  description = "Names or ARNs of tables, by the variable that resume.lookup.table reads."
  type        = map(string)
  default     = {}
}

variable "buckets" {
  description = "Names of buckets, by the variable that offload reads."
  type        = map(string)
  default     = {}
}

variable "keys" {
  description = "ARNs of the KMS keys that encrypt what the routes use: queues, tables, secrets, the bucket of offload."
  type        = list(string)
  default     = []
}

variable "queues" {
  description = "ARNs of queues: for a queue function those that it reads, by the variable that sqs or queue reads; for a webhook function those that accept deliveries, by the variable that queue reads."
  type        = map(string)
  default     = {}
}

variable "dead_letter_queues" {
  description = "URLs or ARNs of dead-letter queues, by the variable that deadLetterQueue reads."
  type        = map(string)
  default     = {}
}

variable "on_failure" {
  description = "The queue for events that failed permanently; null for none."
  type        = object({ arn = string })
  default     = null
}

variable "api" {
  description = "The HTTP API of a webhook function, such as aws_apigatewayv2_api.NAME; null for a function URL."
  type        = object({ id = string, execution_arn = string })
  default     = null
}

variable "alarms" {
  description = "The alarms of deploy/alarms: the ARN of the SNS topic that they go to, the numbers of failed deliveries, refused deliveries and 5xx answers in five minutes that raise an alarm, and the maximum age of a message in seconds; null for none."
  type = object({
    topic         = optional(string)
    failed        = optional(number, 5)
    rejected      = optional(number, 50)
    server_errors = optional(number, 5)
    max_age       = optional(number, 900)
    runbook_url   = optional(string, "https://github.com/expressway-dev/expressway/blob/main/docs/operations.md")
  })
  default = null
}

variable "bus" {
  description = "The name of the event bus of an event function."
  type        = string
  default     = "default"
}

variable "memory_size" {
  description = "Megabytes."
  type        = number
  default     = 256
}

variable "timeout" {
  description = "Seconds; null for 25 (webhook) or 60 (queue, event)."
  type        = number
  default     = null
}
