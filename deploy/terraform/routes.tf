# What follows from the routes of this function: its environment and its permissions. Nothing in this file needs a provider.

locals {
  source = { webhook = "http", queue = "sqs", event = "eventbridge" }[var.kind]
  all    = yamldecode(file("${var.config}/expressway.yaml")).routes

  # The queue function processes deliveries that a route accepts into a queue; each of the two functions reads its own keys.
  work_keys   = ["start", "mode", "timeout", "includedData", "catch", "concurrency", "deadLetterQueue", "retry"]
  shared_keys = ["name", "queue", "dedupe"]
  routes = [
    for r in local.all : {
      for key, value in r : key => value
      if !can(r.queue) || contains(local.shared_keys, key) || contains(local.work_keys, key) == (var.kind == "queue")
    }
    if contains(keys(r), local.source) || var.kind == "queue" && can(r.http) && can(r.queue)
  ]

  dedupes = var.dedupe_table != null && anytrue([for r in local.routes : try(r.dedupe, false) != false && !(var.kind == "webhook" && can(r.queue))])
  given = merge(
    var.machines, var.queues, var.dead_letter_queues, var.tables, var.buckets,
    local.dedupes ? { EXPRESSWAY_DEDUPE_TABLE = var.dedupe_table } : {},
  )
  # Its values appear in permissions and in texts of the routes, but in no output.
  environment = merge(local.given, nonsensitive(var.environment))

  # Texts of the routes, each split into the text before its variable, the variable's name, its default, and the text after it.
  secret_texts = distinct(flatten([for r in local.routes : [
    try(tolist(r.verify.secrets), []), try([tostring(r.verify.token)], []), try(r.verify.keys.roots, try(tolist(r.verify.keys), [])),
  ]]))
  texts = distinct(flatten([local.secret_texts, [
    for r in local.routes : [
      try(r.start, []), try(r.sqs, []), try(r.queue, []), try(r.deadLetterQueue, []), try(r.resume.lookup.table, []),
      try(r.offload.to, try(r.offload, [])), try(r.offload.kmsKey, []), try(r.verify.handshake.store, []),
    ]
  ]]))
  parts = { for t in local.texts : t => try(regex("^([^$]*)\\$\\{([A-Za-z_][A-Za-z0-9_]*)((?::-[^}]*)?)\\}(.*)$", t), ["", "", "", t]) }
  values = {
    for t, p in local.parts : t => join("", [p[0], try(local.environment[p[1]], "") != "" ? try(local.environment[p[1]], "") : trimprefix(p[2], ":-"), p[3]])
  }
  missing = distinct(concat(
    [for p in values(local.parts) : p[1] if p[1] != "" && p[2] == "" && !contains(keys(local.environment), p[1])],
    [for t in local.secret_texts : trimprefix(t, "env:") if startswith(t, "env:") && !contains(keys(local.environment), trimprefix(t, "env:"))],
  ))
  twofold = [for t, p in local.parts : t if p[1] != "" && strcontains(p[3], "$${")]
  idle = var.kind != "queue" ? [] : [
    for name in keys(var.queues) : name if length([for r in local.routes : r if can(regex("^\\$\\{${name}(:-[^}]*)?\\}$", try(r.sqs, r.queue)))]) == 0
  ]

  # IAM checks permission to start an alias or a version on the machine's own ARN.
  starts = [
    for r in local.routes : {
      action  = try(r.mode, "sync") == "async" ? "states:StartExecution" : "states:StartSyncExecution"
      machine = join(":", slice(split(":", startswith(local.values[r.start], "arn:") ? local.values[r.start] : "${local.prefix}:states:${local.here}:stateMachine:${local.values[r.start]}"), 0, 7))
    } if can(r.start)
  ]
  waiting = [for arn in var.waiting : join(":", slice(split(":", arn), 0, 7))]
  resumes = anytrue([for r in local.routes : can(r.resume)])

  # Queues by their ARN, or by the region, the account and the name in their URL. A queue without a name does not count.
  addresses = distinct(concat(
    var.kind == "webhook" ? [for r in local.routes : r.queue if can(r.queue)] : [],
    [for r in local.routes : r.deadLetterQueue if can(r.deadLetterQueue)],
  ))
  sent = [
    for t in local.addresses : startswith(local.values[t], "arn:") ? local.values[t] : try(
      format("${local.prefix}:sqs:%s:%s:%s", regex("^https://sqs\\.([a-z0-9-]+)\\.[^/]+/([0-9]+)/([A-Za-z0-9_.-]+)$", local.values[t])...), local.values[t]
    ) if local.values[t] != ""
  ]
  fed = var.kind == "queue" ? values(var.queues) : []
  # The visibility of a message is changed if it is retried, or if another attempt holds its delivery.
  retried = [for r in local.routes : local.values[try(r.sqs, r.queue)] if var.kind == "queue" && (can(r.retry) || try(r.dedupe, false) != false)]

  # References to secrets, and the places where secrets that senders hand over are stored.
  store_texts = distinct([for r in local.routes : r.verify.handshake.store if can(r.verify.handshake.store)])
  references = [
    for t in distinct(concat(local.secret_texts, local.store_texts)) : {
      scheme = split(":", local.values[t])[0]
      name   = split("#", trimprefix(trimprefix(local.values[t], "secretsmanager:"), "ssm:"))[0]
      stored = contains(local.store_texts, t)
    }
  ]
  secrets = [
    for s in local.references : { arn = startswith(s.name, "arn:") ? s.name : "${local.prefix}:secretsmanager:${local.here}:secret:${s.name}-??????", stored = s.stored }
    if s.scheme == "secretsmanager"
  ]
  parameters = [
    for s in local.references : { arn = startswith(s.name, "arn:") ? s.name : "${local.prefix}:ssm:${local.here}:parameter/${trimprefix(s.name, "/")}", stored = s.stored }
    if s.scheme == "ssm"
  ]

  tables = [for t in distinct([for r in local.routes : r.resume.lookup.table if can(r.resume.lookup.table)]) : local.values[t]]
  places = [for t in distinct([for r in local.routes : try(r.offload.to, r.offload) if can(r.offload)]) : trimsuffix(trimprefix(local.values[t], "s3://"), "/")]
  # S3 encrypts with a key on behalf of the function. IAM needs the key's own ARN, which an alias does not contain.
  offload_keys = [for t in distinct([for r in local.routes : r.offload.kmsKey if can(r.offload.kmsKey)]) : local.values[t]]
  aliases      = { for k in local.offload_keys : k => regexall("alias/.*$", k) }

  fails      = anytrue([for r in local.routes : can(r.resume.fail) || can(r.resume) && try(tostring(r.verify), "") == "link"]) # a link is rejected unless fail says otherwise
  heartbeats = anytrue([for r in local.routes : can(r.resume.heartbeat)])
  writes     = length(local.addresses) + length(local.places) > 0 || var.on_failure != null

  statements = [for s in concat(
    [for action in ["states:StartSyncExecution", "states:StartExecution"] : { actions = [action], resources = distinct([for s in local.starts : s.machine if s.action == action]), aliases = [] }],
    [
      { actions = ["states:SendTaskSuccess"], resources = local.resumes ? local.waiting : [], aliases = [] },
      { actions = ["states:SendTaskFailure"], resources = local.fails ? local.waiting : [], aliases = [] },
      { actions = ["states:SendTaskHeartbeat"], resources = local.heartbeats ? local.waiting : [], aliases = [] },
      { actions = ["dynamodb:GetItem"], resources = [for t in local.tables : startswith(t, "arn:") ? t : "${local.prefix}:dynamodb:${local.here}:table/${t}"], aliases = [] },
      { actions = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"], resources = local.dedupes ? ["${local.prefix}:dynamodb:${local.here}:table/${var.dedupe_table}"] : [], aliases = [] },
      { actions = ["secretsmanager:GetSecretValue"], resources = local.secrets[*].arn, aliases = [] },
      { actions = ["secretsmanager:CreateSecret"], resources = [for s in local.secrets : s.arn if s.stored], aliases = [] },
      { actions = ["ssm:GetParameter"], resources = local.parameters[*].arn, aliases = [] },
      { actions = ["ssm:PutParameter"], resources = [for s in local.parameters : s.arn if s.stored], aliases = [] },
      { actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], resources = local.fed, aliases = [] },
      { actions = ["sqs:ChangeMessageVisibility"], resources = [for q in local.fed : q if contains(local.retried, q)], aliases = [] },
      { actions = ["sqs:SendMessage"], resources = concat(local.sent, var.on_failure[*].arn), aliases = [] },
      { actions = ["s3:PutObject"], resources = [for p in local.places : "${local.prefix}:s3:::${p}/*"], aliases = [] },
      { actions = local.writes ? ["kms:Decrypt", "kms:GenerateDataKey"] : ["kms:Decrypt"], resources = var.keys, aliases = [] },
    ],
    [for k in local.offload_keys : {
      actions   = ["kms:GenerateDataKey"]
      resources = [length(local.aliases[k]) > 0 ? "${local.prefix}:kms:${local.here}:key/*" : startswith(k, "arn:") ? k : "${local.prefix}:kms:${local.here}:key/${k}"]
      aliases   = local.aliases[k]
    } if !anytrue([for a in local.aliases[k] : startswith(a, "alias/aws/")])],
  ) : s if length(s.resources) > 0]

  timeout = coalesce(var.timeout, var.kind == "webhook" ? 25 : 60)
  paths   = var.kind == "webhook" ? distinct([for r in local.routes : replace(replace(regex("/.*$", r.http), "...}", "+}"), "{$}", "")]) : []

  patterns = {
    for r in local.routes : r.name => merge(
      { for field, texts in { source = try(flatten([r.eventbridge.source]), ["*"]), "detail-type" = try(flatten([r.eventbridge["detail-type"]]), ["*"]) } :
      field => [for t in texts : { wildcard = t }] if !contains(texts, "*") },
      can(r.eventbridge.source) && !contains(try(flatten([r.eventbridge.source]), []), "*") ? {} : { version = ["0"] },
    ) if var.kind == "event"
  }

  alarm_actions = try([for topic in [var.alarms.topic] : topic if topic != null], [])
  of_function   = { FunctionName = var.name }
  alarms = var.alarms == null ? {} : { for name, a in merge(
    {
      errors    = { text = "The function ${var.name} failed.", namespace = "AWS/Lambda", metric = "Errors", dimensions = local.of_function }
      throttles = { text = "Lambda throttles the function ${var.name}.", namespace = "AWS/Lambda", metric = "Throttles", dimensions = local.of_function, periods = 3, datapoints = 2 }
      unknown   = { text = "The function ${var.name} does not know the end of an execution, which may have run.", namespace = "Expressway", metric = "Unknown", dimensions = local.of_function }
      failed    = { text = "Deliveries to the function ${var.name} fail.", namespace = "Expressway", metric = "Failed", dimensions = local.of_function, threshold = var.alarms.failed }
      throttled = { text = "Step Functions throttles the starts of the function ${var.name}.", namespace = "Expressway", metric = "Throttled", dimensions = local.of_function, periods = 3, datapoints = 3 }
      rejected  = { text = "The function ${var.name} refuses many deliveries: no route, a wrong signature, or malformed.", namespace = "Expressway", metric = "Rejected", dimensions = local.of_function, threshold = var.alarms.rejected }
    },
    { for name in ["servererrors"] : name => {
      text       = var.api == null ? "The URL of the function ${var.name} answers 5xx." : "The API ${try(var.api.id, "")} answers 5xx."
      namespace  = var.api == null ? "AWS/Lambda" : "AWS/ApiGateway"
      metric     = var.api == null ? "Url5xxCount" : "5xx"
      dimensions = { for d in [var.api == null ? "FunctionName" : "ApiId"] : d => d == "ApiId" ? try(var.api.id, "") : var.name }
      threshold  = var.alarms.server_errors
    } if var.kind == "webhook" },
    { for v in keys(var.queues) : "age-${v}" => {
      text      = "The oldest message of the queue ${split(":", var.queues[v])[5]} is older than ${var.alarms.max_age} s.", namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage"
      statistic = "Maximum", dimensions = { QueueName = split(":", var.queues[v])[5] }, threshold = var.alarms.max_age
    } if var.kind == "queue" },
    { for v, address in merge(var.dead_letter_queues, { for f in var.on_failure[*] : "failed" => f.arn }) : "deadletters-${v}" => {
      text      = "There are messages in the dead-letter queue ${regex("[^:/]*$", address)}.", namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible"
      statistic = "Maximum", dimensions = { QueueName = regex("[^:/]*$", address) }
    } },
  ) : name => merge({ statistic = "Sum", periods = 1, datapoints = 1, threshold = 1 }, a) }
}
