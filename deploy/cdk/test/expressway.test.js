const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { App, Duration, Stack, aws_dynamodb: dynamodb, aws_kms: kms, aws_lambda: lambda, aws_s3: s3, aws_sns: sns, aws_sqs: sqs, aws_stepfunctions: sfn } = require('aws-cdk-lib');
const yaml = require('yaml');
const { Match, Template } = require('aws-cdk-lib/assertions');
const { ExpresswayEvents, ExpresswayQueue, ExpresswayWebhook } = require('../lib');

const routes = `version: 1
routes:
  - {name: stripe, http: "POST /stripe/{account}", verify: {provider: stripe, secrets: ["secretsmanager:shop/stripe#signing"]}, dedupe: {for: 72h}, start: "\${ORDERS_ARN}"}
  - {name: report, http: "POST /report", verify: {token: {}, secrets: ["ssm:/shop/token"]}, mode: async, start: "\${REPORT_ARN}"}
  - {name: jobs, sqs: "\${JOBS_ARN}", start: "\${ORDERS_ARN}", deadLetterQueue: "\${DEAD_URL}"}
  - {name: lost, eventbridge: {source: "shop.*", detail-type: Lost}, start: "\${ORDERS_ARN}"}
`;

function setUp(text = routes) {
  const config = fs.mkdtempSync(path.join(os.tmpdir(), 'expressway-'));
  fs.writeFileSync(path.join(config, 'expressway.yaml'), text);
  const stack = new Stack(new App(), 'Stack', { env: { account: '123456789012', region: 'us-east-1' } });
  const layer = lambda.LayerVersion.fromLayerVersionArn(stack, 'Layer', 'arn:aws:lambda:us-east-1:123456789012:layer:expressway:1');
  const machine = (id) => sfn.StateMachine.fromStateMachineArn(stack, id, `arn:aws:states:us-east-1:123456789012:stateMachine:${id}`);
  return { stack, config, layer, machine };
}

const statements = (template) => Object.values(template.findResources('AWS::IAM::Policy')).flatMap((p) => p.Properties.PolicyDocument.Statement)
  .filter((s) => ![].concat(s.Action).some((a) => a.startsWith('xray:')));

test('a webhook has exactly what its routes need', () => {
  const { stack, config, layer, machine } = setUp();
  const table = new dynamodb.Table(stack, 'Table', { partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING } });
  new ExpresswayWebhook(stack, 'Hooks', { config, layer, machines: [machine('Orders'), machine('Report')], dedupeTable: table });
  const template = Template.fromStack(stack);
  template.hasResourceProperties('AWS::Lambda::Function', {
    Handler: 'webhook', Runtime: 'provided.al2023', Architectures: ['arm64'], Timeout: 25,
    Environment: { Variables: { ORDERS_ARN: 'arn:aws:states:us-east-1:123456789012:stateMachine:Orders', EXPRESSWAY_DEDUPE_TABLE: Match.anyValue() } },
  });
  template.hasResourceProperties('AWS::ApiGatewayV2::Route', { RouteKey: 'ANY /stripe/{account}' });
  template.hasResourceProperties('AWS::ApiGatewayV2::Route', { RouteKey: 'ANY /report' });
  const found = statements(template);
  assert.deepStrictEqual(found.map((s) => s.Action), [
    'states:StartSyncExecution', ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
    'secretsmanager:GetSecretValue', 'states:StartExecution', 'ssm:GetParameter',
  ]);
  assert.strictEqual(found[0].Resource, 'arn:aws:states:us-east-1:123456789012:stateMachine:Orders');
  assert.deepStrictEqual(found[1].Resource, { 'Fn::GetAtt': ['TableCD117FA1', 'Arn'] });
});

test('a queue function reports batch item failures', () => {
  const { stack, config, layer, machine } = setUp();
  const queue = new sqs.Queue(stack, 'Jobs');
  const dead = new sqs.Queue(stack, 'Dead');
  new ExpresswayQueue(stack, 'Queue', { config, layer, machines: [machine('Any')], queues: { JOBS_ARN: queue }, deadLetterQueues: { DEAD_URL: dead } });
  const template = Template.fromStack(stack);
  template.hasResourceProperties('AWS::Lambda::EventSourceMapping', { FunctionResponseTypes: ['ReportBatchItemFailures'] });
  const actions = statements(template).map((s) => s.Action);
  assert.ok(actions.includes('sqs:SendMessage') && actions.includes('states:StartSyncExecution'), JSON.stringify(actions));
  assert.ok(!actions.flat().some((a) => a.startsWith('dynamodb:') || a.startsWith('secretsmanager:')));
});

test('an event function has a rule for each route', () => {
  const { stack, config, layer, machine } = setUp();
  const failed = new sqs.Queue(stack, 'Failed');
  new ExpresswayEvents(stack, 'Events', { config, layer, machineVariables: { ORDERS_ARN: machine('Other') }, onFailure: failed });
  const template = Template.fromStack(stack);
  template.hasResourceProperties('AWS::Events::Rule', { EventPattern: { source: [{ prefix: 'shop.' }], 'detail-type': ['Lost'] } });
  template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { DestinationConfig: { OnFailure: { Destination: Match.anyValue() } } });
});

test('what is missing is named', () => {
  const { stack, config, layer, machine } = setUp();
  assert.throws(() => new ExpresswayWebhook(stack, 'A', { config, layer, machines: [machine('Orders')] }), /\$\{REPORT_ARN\} names no state machine/);
  assert.throws(() => new ExpresswayWebhook(stack, 'B', { config, machines: [machine('Orders2'), machine('Report')], machineVariables: { ORDERS_ARN: machine('O3') } }), /layer and layerFile/);
  assert.throws(() => new ExpresswayQueue(stack, 'C', { config, layer, machines: [machine('Orders4')], queues: { OTHER_ARN: new sqs.Queue(stack, 'Q') } }), /route jobs: the variable JOBS_ARN has no value/);
  assert.throws(() => new ExpresswayQueue(stack, 'D', { config, layer, machines: [machine('Orders5')], environment: { JOBS_ARN: 'arn:aws:sqs:us-east-1:123456789012:jobs', DEAD_URL: 'https://sqs.us-east-1.amazonaws.com/123456789012/dead' }, queues: { OTHER_ARN: new sqs.Queue(stack, 'Q2') } }), /no route reads the queue of OTHER_ARN/);
});

test('a variable or a secret without a value is named', () => {
  const { stack, config, layer, machine } = setUp(`version: 1
routes:
  - {name: a, http: POST /a, verify: {provider: github, secrets: ["env:GITHUB_SECRET"]}, start: "\${ORDERS_ARN}"}
  - {name: b, http: POST /b, verify: none, start: "\${ORDERS_ARN}", respond: {headers: {Link: "\${HELP_URL}"}}}
`);
  const props = { config, layer, machines: [machine('Orders')] };
  assert.throws(() => new ExpresswayWebhook(stack, 'A', { ...props, environment: { HELP_URL: 'https://example.com' } }), /route a: the secret env:GITHUB_SECRET has no value/);
  assert.throws(() => new ExpresswayWebhook(stack, 'B', { ...props, environment: { GITHUB_SECRET: 'x' } }), /route b: the variable HELP_URL has no value/);
});

test('a route that resumes wants to know what waits', () => {
  const { stack, config, layer } = setUp('version: 1\nroutes: [{name: a, http: POST /a, verify: none, resume: {token: "{% $request.body.token %}"}}]\n');
  assert.throws(() => new ExpresswayWebhook(stack, 'A', { config, layer }), /route a: resume needs the state machines whose tasks wait/);
});

/** A value of a synthesized template as text. */
function resolve(value) {
  if (typeof value === 'string') {
    return value;
  }
  if (value.Ref === 'AWS::Partition') {
    return 'aws';
  }
  if (value['Fn::Join']) {
    return value['Fn::Join'][1].map(resolve).join(value['Fn::Join'][0]);
  }
  throw new Error(`cannot resolve ${JSON.stringify(value)}`);
}

/** Each grant of a role as one text: an action, a resource, and the alias that a condition asks for. */
function grants(template) {
  return statements(template).flatMap((s) => [].concat(s.Action).flatMap((action) => [].concat(s.Resource).map((resource) => {
    const alias = s.Condition?.['ForAnyValue:StringEquals']?.['kms:ResourceAliases'];
    assert.ok(s.Effect === 'Allow' && (!s.Condition || alias), JSON.stringify(s));
    return `${action} ${resolve(resource)}${alias ? ` if ${alias}` : ''}`;
  })));
}

// The Terraform module and the checks of `expressway validate` are tested with the same
// cases.
for (const example of JSON.parse(fs.readFileSync(path.join(__dirname, '../../testdata/permissions.json'), 'utf8'))) {
  test(`exactly the permissions of: ${example.name}`, () => {
    const { stack, config, layer, machine } = setUp(JSON.stringify({ version: 1, routes: example.routes }));
    const here = (service, name) => `arn:aws:${service}:us-east-1:123456789012:${name}`;
    const each = (names, make) => Object.fromEntries(Object.entries(names ?? {}).map(([variable, name]) => [variable, make(name)]));
    const queue = (name) => sqs.Queue.fromQueueArn(stack, name, here('sqs', name));
    const table = (name) => dynamodb.Table.fromTableArn(stack, name, here('dynamodb', `table/${name}`));
    const Function = { webhook: ExpresswayWebhook, queue: ExpresswayQueue, event: ExpresswayEvents }[example.kind];
    new Function(stack, 'Function', {
      config, layer,
      machineVariables: each(example.machines, machine),
      waiting: example.waiting?.map(machine),
      queues: each(example.queues, queue),
      deadLetterQueues: each(example.deadLetterQueues, queue),
      lookupTables: each(example.lookupTables, table),
      buckets: each(example.buckets, (name) => s3.Bucket.fromBucketName(stack, name, name)),
      dedupeTable: example.dedupeTable && table(example.dedupeTable),
      keys: example.keys?.map((arn) => kms.Key.fromKeyArn(stack, arn, arn)),
      environment: example.environment,
    });
    assert.deepStrictEqual([...new Set(grants(Template.fromStack(stack)))].sort(), [...example.grants].sort());
  });
}

test('keys of constructs are granted', () => {
  const { stack, config, layer, machine } = setUp();
  const key = new kms.Key(stack, 'Key');
  const queue = new sqs.Queue(stack, 'Jobs', { encryptionMasterKey: key });
  new ExpresswayQueue(stack, 'Queue', { config, layer, machines: [machine('Any')], environment: { DEAD_URL: 'https://sqs.us-east-1.amazonaws.com/123456789012/dead' }, queues: { JOBS_ARN: queue } });
  const found = statements(Template.fromStack(stack)).filter((s) => s.Action === 'kms:Decrypt');
  assert.deepStrictEqual(found.map((s) => s.Resource), [{ 'Fn::GetAtt': ['Key961B73FD', 'Arn'] }]);
});

/** The alarms of a template of deploy/alarms, each without its text, its actions and what is called differently. */
function published(file, parameters) {
  const tag = (name, resolve) => ({ tag: `!${name}`, resolve });
  const document = yaml.parse(fs.readFileSync(path.join(__dirname, '../../alarms', file), 'utf8'), {
    customTags: [
      { tag: '!FindInMap', collection: 'seq', resolve: (seq) => parameters[seq.toJSON()[2]] ?? seq.toJSON()[2] },
      { tag: '!Sub', collection: 'seq', resolve: (seq) => seq.toJSON()[0].replace(/\$\{(\w+)\}/g, (_, name) => parameters[name]) },
      tag('Ref', (name) => parameters[name] ?? name), tag('Sub', (text) => text.replace(/\$\{(\w+)\}/g, (_, name) => parameters[name])),
      { tag: '!If', collection: 'seq', resolve: (seq) => seq.toJSON()[2] }, ...['Not', 'Equals'].map((name) => ({ tag: `!${name}`, collection: 'seq', resolve: () => '' })),
    ],
  });
  return Object.values(document.Resources).map((r) => comparable(r.Properties));
}

function comparable({ AlarmDescription, AlarmActions, OKActions, Dimensions, Metrics, ...rest }) {
  const metrics = Metrics?.map(({ MetricStat, ...m }) => ({ ...m, metric: MetricStat?.Metric.MetricName, stat: MetricStat?.Stat, period: MetricStat?.Period }));
  return JSON.stringify({ ...rest, dimension: Dimensions?.[0].Name, metrics, runbook: resolve(AlarmDescription).replace(/^.*#/, '#') }, (_, v) =>
    v && typeof v === 'object' && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort()) : v);
}

test('the alarms are those of deploy/alarms', () => {
  const { stack, config, layer, machine } = setUp();
  const topic = sns.Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:us-east-1:123456789012:alarms');
  const named = (name) => sqs.Queue.fromQueueArn(stack, name, `arn:aws:sqs:us-east-1:123456789012:${name}`);
  const common = { config, layer, machines: [machine('Orders'), machine('Report')], alarms: { topic, failed: 7, maxAge: Duration.minutes(2) } };
  new ExpresswayWebhook(stack, 'Hooks', common);
  const ofFunction = (timeout) => published('function.yaml', { TimeoutSeconds: timeout, FailedThreshold: 7, RejectedThreshold: 50, MetricsNamespace: 'Expressway', RunbookUrl: '' });
  const alarms = () => Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm'));
  const bare = (list) => list.map((a) => comparable({ ...a.Properties, AlarmDescription: JSON.stringify(a.Properties.AlarmDescription).replace(/^.*#/, '#').replace(/["\]}]*$/, '') })).sort();
  // One API, of the kind http.
  const door = yaml.parse(fs.readFileSync(path.join(__dirname, '../../alarms/api.yaml'), 'utf8'), { logLevel: 'silent' }).Mappings.Doors.http;
  const api = published('api.yaml', { ...door, ServerErrorThreshold: 5, RunbookUrl: '' });
  assert.deepStrictEqual(bare(alarms()), [...ofFunction(25), ...api].sort());
  assert.ok(alarms().every((a) => a.Properties.AlarmActions[0] === topic.topicArn && a.Properties.OKActions[0] === topic.topicArn));

  const second = new Stack(new App(), 'Second', { env: { account: '123456789012', region: 'us-east-1' } });
  const queue = (name) => sqs.Queue.fromQueueArn(second, name, `arn:aws:sqs:us-east-1:123456789012:${name}`);
  new ExpresswayQueue(second, 'Queue', {
    config, layer: lambda.LayerVersion.fromLayerVersionArn(second, 'Layer', layer.layerVersionArn), machineVariables: { ORDERS_ARN: sfn.StateMachine.fromStateMachineArn(second, 'M', 'arn:aws:states:us-east-1:123456789012:stateMachine:M') },
    queues: { JOBS_ARN: queue('jobs') }, deadLetterQueues: { DEAD_URL: queue('dead') }, alarms: { failed: 7, maxAge: Duration.minutes(2) },
  });
  const made = Object.values(Template.fromStack(second).findResources('AWS::CloudWatch::Alarm'));
  assert.deepStrictEqual(bare(made), [...ofFunction(60), ...published('queue.yaml', { MaxAgeSeconds: 120, RunbookUrl: '' })].sort());
  assert.ok(made.every((a) => a.Properties.AlarmActions === undefined));
});
