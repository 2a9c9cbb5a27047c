data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

data "archive_file" "code" {
  type        = "zip"
  source_dir  = var.config
  output_path = "${path.root}/.terraform/expressway-${var.name}.zip"
}

locals {
  source = { webhook = "http", queue = "sqs", event = "eventbridge" }[var.kind]
  # The routes of this function's own source: their permissions are the function's.
  routes = [for r in yamldecode(file("${var.config}/expressway.yaml")).routes : r if contains(keys(r), local.source)]

  prefix     = "arn:${data.aws_partition.current.partition}"
  here       = "${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
  started    = { for r in local.routes : r.name => lookup(var.machines, try(regex("^\\$\\{([A-Za-z_][A-Za-z0-9_]*)", r.start)[0], ""), null) if can(r.start) && !can(r.queue) }
  # Permission to start an alias or a version is asked of the machine's own ARN.
  sync       = distinct([for r in local.routes : join(":", slice(split(":", local.started[r.name]), 0, 7)) if try(local.started[r.name], null) != null && try(r.mode, "sync") == "sync"])
  async      = distinct([for r in local.routes : join(":", slice(split(":", local.started[r.name]), 0, 7)) if try(local.started[r.name], null) != null && try(r.mode, "sync") == "async"])
  references = distinct(flatten([for r in local.routes : try(r.verify.secrets, [])]))
  secrets    = [for s in local.references : split("#", trimprefix(s, "secretsmanager:"))[0] if startswith(s, "secretsmanager:")]
  parameters = [for s in local.references : trimprefix(trimprefix(s, "ssm:"), "/") if startswith(s, "ssm:")]
  dedupes    = var.dedupe_table != null && anytrue([for r in local.routes : can(r.dedupe) && try(r.dedupe, false) != false])
  retries    = anytrue([for r in local.routes : can(r.retry)])
  dead       = anytrue([for r in local.routes : can(r.deadLetterQueue)])

  statements = concat(
    [for a, arns in { "states:StartSyncExecution" = local.sync, "states:StartExecution" = local.async } : { actions = [a], resources = arns } if length(arns) > 0],
    length(local.secrets) == 0 ? [] : [{
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [for s in local.secrets : startswith(s, "arn:") ? s : "${local.prefix}:secretsmanager:${local.here}:secret:${s}-??????"]
    }],
    length(local.parameters) == 0 ? [] : [{
      actions   = ["ssm:GetParameter"]
      resources = [for p in local.parameters : startswith(p, "arn:") ? p : "${local.prefix}:ssm:${local.here}:parameter/${p}"]
    }],
    !local.dedupes ? [] : [{
      actions   = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]
      resources = ["${local.prefix}:dynamodb:${local.here}:table/${var.dedupe_table}"]
    }],
    length(var.queues) == 0 ? [] : [{
      actions   = concat(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], local.retries ? ["sqs:ChangeMessageVisibility"] : [])
      resources = values(var.queues)
    }],
    !local.dead || length(var.dead_letter_queue_arns) == 0 ? [] : [{ actions = ["sqs:SendMessage"], resources = var.dead_letter_queue_arns }],
    var.on_failure == null ? [] : [{ actions = ["sqs:SendMessage"], resources = [var.on_failure] }],
  )
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "routes" {
  dynamic "statement" {
    for_each = local.statements
    content {
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }
}

resource "aws_iam_role" "this" {
  name_prefix        = substr("${var.name}-", 0, 38)
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.this.name
  policy_arn = "${local.prefix}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_iam_role_policy_attachment" "traces" {
  role       = aws_iam_role.this.name
  policy_arn = "${local.prefix}:iam::aws:policy/AWSXRayDaemonWriteAccess"
}

resource "aws_iam_role_policy" "routes" {
  count  = length(local.statements) > 0 ? 1 : 0
  name   = "routes"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.routes.json
}

resource "aws_lambda_function" "this" {
  function_name    = var.name
  role             = aws_iam_role.this.arn
  runtime          = "provided.al2023"
  architectures    = [var.architecture]
  handler          = var.kind
  filename         = data.archive_file.code.output_path
  source_code_hash = data.archive_file.code.output_base64sha256
  layers           = [var.layer]
  memory_size      = var.memory_size
  timeout          = coalesce(var.timeout, var.kind == "webhook" ? 25 : 60)

  tracing_config {
    mode = "Active"
  }

  logging_config {
    log_format = "JSON"
  }

  environment {
    variables = merge(
      var.machines, var.queues, var.dead_letter_queues,
      local.dedupes ? { EXPRESSWAY_DEDUPE_TABLE = var.dedupe_table } : {},
      var.environment,
    )
  }
}

resource "aws_lambda_function_url" "this" {
  count              = var.kind == "webhook" && var.api == null ? 1 : 0
  function_name      = aws_lambda_function.this.function_name
  authorization_type = "NONE"
}

resource "aws_lambda_permission" "url" {
  count                  = var.kind == "webhook" && var.api == null ? 1 : 0
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = aws_lambda_function.this.function_name
  principal              = "*"
  function_url_auth_type = "NONE"
}

resource "aws_apigatewayv2_integration" "this" {
  count                  = var.kind == "webhook" && var.api != null ? 1 : 0
  api_id                 = var.api
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.this.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 29000
}

resource "aws_apigatewayv2_route" "this" {
  # All methods: senders ask for consent by others than the route's.
  for_each  = toset(var.kind == "webhook" && var.api != null ? [for r in local.routes : replace(regex("/.*$", r.http), "...}", "+}")] : [])
  api_id    = var.api
  route_key = "ANY ${each.value}"
  target    = "integrations/${aws_apigatewayv2_integration.this[0].id}"
}

resource "aws_lambda_permission" "api" {
  count         = var.kind == "webhook" && var.api != null ? 1 : 0
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${var.api_execution_arn}/*"
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each                = var.queues
  event_source_arn        = each.value
  function_name           = aws_lambda_function.this.arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]
  depends_on              = [aws_iam_role_policy.routes]
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each       = { for r in local.routes : r.name => r if var.kind == "event" }
  name           = "${var.name}-${each.key}"
  event_bus_name = var.bus
  event_pattern = jsonencode(merge(
    { for field, texts in { source = try(flatten([each.value.eventbridge.source]), ["*"]), "detail-type" = try(flatten([each.value.eventbridge["detail-type"]]), ["*"]) } :
    field => [for t in texts : { wildcard = t }] if !contains(texts, "*") },
    can(each.value.eventbridge.source) && !contains(try(flatten([each.value.eventbridge.source]), []), "*") ? {} : { version = ["0"] },
  ))
}

resource "aws_cloudwatch_event_target" "this" {
  for_each       = aws_cloudwatch_event_rule.this
  rule           = each.value.name
  event_bus_name = var.bus
  arn            = aws_lambda_function.this.arn
}

resource "aws_lambda_permission" "rule" {
  for_each      = aws_cloudwatch_event_rule.this
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  principal     = "events.amazonaws.com"
  source_arn    = each.value.arn
}

resource "aws_lambda_function_event_invoke_config" "this" {
  count         = var.kind == "event" && var.on_failure != null ? 1 : 0
  function_name = aws_lambda_function.this.function_name

  destination_config {
    on_failure {
      destination = var.on_failure
    }
  }
}
