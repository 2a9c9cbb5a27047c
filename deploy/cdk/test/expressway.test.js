const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { App, Stack, aws_dynamodb: dynamodb, aws_lambda: lambda, aws_sqs: sqs, aws_stepfunctions: sfn } = require('aws-cdk-lib');
const { Match, Template } = require('aws-cdk-lib/assertions');
const { ExpresswayEvents, ExpresswayQueue, ExpresswayWebhook } = require('../lib');

const routes = `version: 1
routes:
  - {name: stripe, http: "POST /stripe/{account}", verify: {provider: stripe, secrets: ["secretsmanager:shop/stripe#signing"]}, dedupe: {for: 72h}, start: "\${ORDERS_ARN}"}
  - {name: report, http: "POST /report", verify: {token: {}, secrets: ["ssm:/shop/token"]}, mode: async, start: "\${REPORT_ARN}"}
  - {name: jobs, sqs: "\${JOBS_ARN}", start: "\${ORDERS_ARN}", deadLetterQueue: "\${DEAD_URL}"}
  - {name: lost, eventbridge: {source: "shop.*", detail-type: Lost}, start: "\${ORDERS_ARN}"}
`;

function setUp() {
  const config = fs.mkdtempSync(path.join(os.tmpdir(), 'expressway-'));
  fs.writeFileSync(path.join(config, 'expressway.yaml'), routes);
  const stack = new Stack(new App(), 'Stack');
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
    'states:StartSyncExecution', 'states:StartExecution', ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
    'secretsmanager:GetSecretValue', 'ssm:GetParameter',
  ]);
  assert.strictEqual(found[0].Resource, 'arn:aws:states:us-east-1:123456789012:stateMachine:Orders');
  assert.match(JSON.stringify(found[3].Resource), /secret:shop\/stripe-\?\?\?\?\?\?/);
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
  assert.throws(() => new ExpresswayQueue(stack, 'C', { config, layer, machines: [machine('Orders4')], queues: { OTHER_ARN: new sqs.Queue(stack, 'Q') } }), /no route reads the queue of OTHER_ARN/);
});
