const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const ts = require('typescript');
const { App, Stack, aws_events: events, aws_lambda: lambda, aws_sqs: sqs, aws_stepfunctions: sfn } = require('aws-cdk-lib');
const { Template } = require('aws-cdk-lib/assertions');

const root = path.join(__dirname, '../../..');
const library = path.join(__dirname, '../lib');

/** The errors of a TypeScript file that imports the constructs by their published name. */
function errors(file) {
  const options = {
    noEmit: true, strict: true, noUnusedLocals: true, noUnusedParameters: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16, skipLibCheck: true,
    types: ['node'], typeRoots: [path.join(__dirname, '../node_modules/@types')], baseUrl: path.join(__dirname, '..'),
    paths: { '@expressway-dev/cdk': ['lib/index'], 'aws-cdk-lib': ['node_modules/aws-cdk-lib'], 'constructs': ['node_modules/constructs'] },
  };
  const found = ts.getPreEmitDiagnostics(ts.createProgram([file], options));
  return found.map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n'));
}

/** Runs a TypeScript file, and returns what it exports. */
function load(file) {
  const source = ts.transpileModule(fs.readFileSync(file, 'utf8'), { compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 } }).outputText;
  const module = { exports: {} };
  new Function('require', 'exports', 'module', source)((name) => require(name === '@expressway-dev/cdk' ? library : name), module.exports, module);
  return module.exports;
}

for (const [name, from, flags] of [
  ['webhooks', 'http', []], ['all', 'http,sqs,eventbridge', []], ['a queue alone', 'sqs', []],
  ['accepted first', 'http,sqs,eventbridge', ['--queue-webhooks', '--offload']], ['large inputs', 'http', ['--offload']],
]) {
  test(`what init writes compiles, and is synthesized: ${name}`, { skip: spawnSync('go', ['version']).error && !process.env.CI ? 'go is not installed' : false }, () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'expressway-'));
    const made = spawnSync('go', ['run', './cmd/expressway', 'init', folder, '--iac', 'cdk', '--provider', 'stripe,github', '--from', from, ...flags], { cwd: root, encoding: 'utf8' });
    assert.strictEqual(made.status, 0, made.stderr);
    const file = path.join(folder, 'expressway-routes.ts');
    assert.deepStrictEqual(errors(file), []);

    const stack = new Stack(new App(), 'Stack', { env: { account: '123456789012', region: 'us-east-1' } });
    const before = process.cwd();
    process.chdir(folder); // the configuration is expressway/ of the app
    Object.assign(process.env, { STRIPE_SECRET: 'x', GITHUB_SECRET: 'y' });
    try {
      load(file).addRoutes(stack, {
        layer: lambda.LayerVersion.fromLayerVersionArn(stack, 'Layer', 'arn:aws:lambda:us-east-1:123456789012:layer:expressway:1'),
        machine: sfn.StateMachine.fromStateMachineArn(stack, 'Machine', 'arn:aws:states:us-east-1:123456789012:stateMachine:Machine'),
        queue: new sqs.Queue(stack, 'Jobs'), deadLetters: new sqs.Queue(stack, 'Dead'), bus: new events.EventBus(stack, 'Bus'),
      });
    } finally {
      process.chdir(before);
    }
    const functions = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function', { Properties: { Runtime: 'provided.al2023' } }));
    const handlers = functions.map((f) => f.Properties.Handler).sort();
    const want = [from.includes('eventbridge') && 'event', (from.includes('sqs') || flags.includes('--queue-webhooks')) && 'queue', from.includes('http') && 'webhook'];
    assert.deepStrictEqual(handlers, want.filter(Boolean));
  });
}

test('a file that does not fit the constructs has errors', () => {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'expressway-')), 'wrong.ts');
  fs.writeFileSync(file, "import { Stack } from 'aws-cdk-lib';\nimport { ExpresswayWebhook } from '@expressway-dev/cdk';\nnew ExpresswayWebhook(new Stack(), 'A', { config: 'x', queue: 1 });\n");
  assert.match(errors(file).join('\n'), /'queue' does not exist in type 'ExpresswayWebhookProps'/);
});
