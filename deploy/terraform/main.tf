data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

data "archive_file" "code" {
  type        = "zip"
  source_dir  = var.config
  output_path = "${path.root}/.terraform/expressway-${var.name}.zip"
}

locals {
  prefix = "arn:${data.aws_partition.current.partition}"
  here   = "${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}"
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

      dynamic "condition" {
        for_each = statement.value.aliases
        content {
          test     = "ForAnyValue:StringEquals"
          variable = "kms:ResourceAliases"
          values   = [condition.value]
        }
      }
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
  timeout          = local.timeout

  tracing_config {
    mode = "Active"
  }

  logging_config {
    log_format = "JSON"
  }

  environment {
    variables = merge(local.given, var.environment)
  }

  lifecycle {
    precondition {
      condition     = length(local.routes) > 0
      error_message = "${var.config}/expressway.yaml has no ${local.source} route."
    }
    precondition {
      condition     = length(local.missing) == 0
      error_message = "The routes read variables that have no value: ${join(", ", local.missing)}. Give them by machines, queues, dead_letter_queues, tables, buckets or environment."
    }
    precondition {
      condition     = length(local.twofold) == 0
      error_message = "A text may have one variable here: ${join(", ", local.twofold)}. Make one variable of the whole text."
    }
    precondition {
      condition     = length(local.idle) == 0
      error_message = "No route reads the queues of ${join(", ", local.idle)}. Write sqs: with the variable."
    }
    precondition {
      condition     = !local.resumes || length(var.waiting) > 0
      error_message = "The routes resume tasks: name the state machines that wait in the variable waiting."
    }
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
  api_id                 = var.api.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.this.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 29000
}

resource "aws_apigatewayv2_route" "this" {
  # All methods: senders ask for consent with other methods than the route's.
  for_each  = toset(var.kind == "webhook" && var.api != null ? local.paths : [])
  api_id    = var.api.id
  route_key = "ANY ${each.value}"
  target    = "integrations/${aws_apigatewayv2_integration.this[0].id}"
}

resource "aws_lambda_permission" "api" {
  count         = var.kind == "webhook" && var.api != null ? 1 : 0
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${var.api.execution_arn}/*"
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each                = var.kind == "queue" ? var.queues : {}
  event_source_arn        = each.value
  function_name           = aws_lambda_function.this.arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]
  depends_on              = [aws_iam_role_policy.routes]
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each       = local.patterns
  name           = "${var.name}-${each.key}"
  event_bus_name = var.bus
  event_pattern  = jsonencode(each.value)
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
      destination = var.on_failure.arn
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.text} Runbook: ${var.alarms.runbook_url}#alarm-${split("-", each.key)[0]}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = 300
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.datapoints
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
}

# The threshold is in milliseconds, so it is an expression over the metric in seconds.
resource "aws_cloudwatch_metric_alarm" "duration" {
  count               = var.alarms != null ? 1 : 0
  alarm_name          = "${var.name}-duration"
  alarm_description   = "The function ${var.name} runs for nine tenths of its timeout of ${local.timeout} s. Runbook: ${var.alarms.runbook_url}#alarm-duration"
  evaluation_periods  = 1
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 0.9
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions

  metric_query {
    id          = "longest"
    return_data = false

    metric {
      namespace   = "AWS/Lambda"
      metric_name = "Duration"
      dimensions  = { FunctionName = var.name }
      stat        = "Maximum"
      period      = 300
    }
  }

  metric_query {
    id          = "share"
    label       = "share of the timeout"
    expression  = "longest / (1000 * ${local.timeout})"
    return_data = true
  }
}
