variable "name" {
  description = "The function's name; the role and the rules are called after it."
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
  description = "arm64 or x86_64, as the layer."
  type        = string
  default     = "arm64"
}

variable "machines" {
  description = "ARNs of state machines, by the variable that start: reads. The ARN of an alias or a version is as good: the permission is then the machine's."
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

variable "queues" {
  description = "ARNs of the queues that feed a queue function, by the variable that sqs: reads."
  type        = map(string)
  default     = {}
}

variable "dead_letter_queues" {
  description = "URLs of dead-letter queues, by the variable that deadLetterQueue: reads."
  type        = map(string)
  default     = {}
}

variable "dead_letter_queue_arns" {
  description = "ARNs of the same queues."
  type        = list(string)
  default     = []
}

variable "bus" {
  description = "The name of the event bus of an event function."
  type        = string
  default     = "default"
}

variable "on_failure" {
  description = "The ARN of the queue that takes events that failed for good; null for none."
  type        = string
  default     = null
}

variable "api" {
  description = "The id of the HTTP API of a webhook function; null for a function URL."
  type        = string
  default     = null
}

variable "api_execution_arn" {
  description = "The execution ARN of that API."
  type        = string
  default     = null
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
