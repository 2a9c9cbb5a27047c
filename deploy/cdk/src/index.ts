import * as path from 'path';
import { Duration, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import * as integrations from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as destinations from 'aws-cdk-lib/aws-lambda-destinations';
import * as sources from 'aws-cdk-lib/aws-lambda-event-sources';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { apiPath, dedupes, matchers, readRoutes, Route, secretReferences, variable } from './routes';

/** What all Expressway functions take. */
export interface ExpresswayProps {
  /** The folder that holds expressway.yaml: the function's code. */
  readonly config: string;
  /**
   * The state machines that the routes start. Each is given to the one variable of a start: key that is called like
   * it: ORDERS_ARN, ORDERS_MACHINE_ARN or ORDERS_STATE_MACHINE_ARN for the construct Orders. A single machine is given
   * to a single variable, whatever that is called.
   */
  readonly machines?: sfn.IStateMachine[];
  /** State machines by the variable that start: reads, where machines does not tell. */
  readonly machineVariables?: { [variable: string]: sfn.IStateMachine };
  /** The Expressway layer. One of layer and layerFile is needed. */
  readonly layer?: lambda.ILayerVersion;
  /** The zip that `expressway layer` wrote. */
  readonly layerFile?: string;
  /** @default arm64 */
  readonly architecture?: lambda.Architecture;
  /** Further variables, such as secrets that env: references name. */
  readonly environment?: { [name: string]: string };
  /** Where routes with dedupe remember deliveries. Without it each function environment remembers for itself. */
  readonly dedupeTable?: dynamodb.ITable;
  /** @default 256 */
  readonly memorySize?: number;
  /** @default 25 seconds for webhooks, 60 seconds for queues and events */
  readonly timeout?: Duration;
}

/** Properties of a webhook function. */
export interface ExpresswayWebhookProps extends ExpresswayProps {
  /** @default an HTTP API of its own */
  readonly api?: apigateway.HttpApi;
}

/** Properties of a queue function. */
export interface ExpresswayQueueProps extends ExpresswayProps {
  /** The queues that feed the function, by the variable that sqs: reads. */
  readonly queues: { [variable: string]: sqs.IQueue };
  /** Dead-letter queues of routes, by the variable that deadLetterQueue: reads. */
  readonly deadLetterQueues?: { [variable: string]: sqs.IQueue };
  /** @default 10 */
  readonly batchSize?: number;
  /** How many pollers there are at most. */
  readonly maxConcurrency?: number;
}

/** Properties of an event function. */
export interface ExpresswayEventsProps extends ExpresswayProps {
  /** @default the account's bus */
  readonly bus?: events.IEventBus;
  /** Where an event goes that failed for good. */
  readonly onFailure?: sqs.IQueue;
}

/** What the three functions have in common. */
abstract class ExpresswayFunction extends Construct {
  /** The Lambda function. */
  public readonly handler: lambda.Function;

  /** @internal */
  protected readonly _routes: Route[];

  /** @internal */
  protected constructor(scope: Construct, id: string, handler: string, source: 'http' | 'sqs' | 'eventbridge', props: ExpresswayProps, seconds: number) {
    super(scope, id);
    this._routes = readRoutes(props.config).filter((r) => r[source] !== undefined);
    if (this._routes.length === 0) {
      throw new Error(`${path.join(props.config, 'expressway.yaml')} has no ${source} route`);
    }
    const machines = this._machines(props);
    const environment: { [name: string]: string } = { ...props.environment };
    for (const [name, machine] of Object.entries(machines)) {
      environment[name] = machine.stateMachineArn;
    }
    const table = this._routes.some(dedupes) ? props.dedupeTable : undefined;
    if (table) {
      environment.EXPRESSWAY_DEDUPE_TABLE = table.tableName;
    }
    const architecture = props.architecture ?? lambda.Architecture.ARM_64;
    this.handler = new lambda.Function(this, 'Function', {
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture,
      handler,
      code: lambda.Code.fromAsset(props.config),
      layers: [this._layer(props, architecture)],
      memorySize: props.memorySize ?? 256,
      timeout: props.timeout ?? Duration.seconds(seconds),
      tracing: lambda.Tracing.ACTIVE,
      loggingFormat: lambda.LoggingFormat.JSON,
      environment,
    });
    this._grant(machines);
    if (table) {
      this._allow(['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'], [table.tableArn]);
    }
    this._grantSecrets();
  }

  /** @internal */
  protected _allow(actions: string[], resources: string[]): void {
    this.handler.addToRolePolicy(new iam.PolicyStatement({ actions, resources }));
  }

  private _layer(props: ExpresswayProps, architecture: lambda.Architecture): lambda.ILayerVersion {
    if (props.layer) {
      return props.layer;
    }
    if (!props.layerFile) {
      throw new Error('one of layer and layerFile is needed: `expressway layer` writes the file');
    }
    return new lambda.LayerVersion(this, 'Layer', {
      code: lambda.Code.fromAsset(props.layerFile),
      compatibleRuntimes: [lambda.Runtime.PROVIDED_AL2023],
      compatibleArchitectures: [architecture],
    });
  }

  /** Gives each variable of a start: key its state machine. */
  private _machines(props: ExpresswayProps): { [variable: string]: sfn.IStateMachine } {
    const found: { [variable: string]: sfn.IStateMachine } = {};
    const all = props.machines ?? [];
    const names = [...new Set(this._routes.map((r) => variable(r.start)).filter((v): v is string => v !== undefined))];
    for (const name of names) {
      const own = props.machineVariables?.[name];
      const alike = all.filter((m) => squeeze(name) === squeeze(m.node.id));
      const machine = own ?? (alike.length === 1 ? alike[0] : all.length === 1 && names.length === 1 ? all[0] : undefined);
      if (machine) {
        found[name] = machine;
      } else if (props.environment?.[name] === undefined) {
        throw new Error(`start: \${${name}} names no state machine; give it by machineVariables: { ${name}: machine }`);
      }
    }
    return found;
  }

  /** Grants to start what the routes start, in the way in which they do. */
  private _grant(machines: { [variable: string]: sfn.IStateMachine }): void {
    for (const async of [false, true]) {
      const started = this._routes.filter((r) => (r.mode === 'async') === async && r.queue === undefined).map((r) => machines[variable(r.start) ?? '']);
      const arns = [...new Set(started.filter((m) => m !== undefined).map((m) => m.stateMachineArn))];
      if (arns.length > 0) {
        this._allow([async ? 'states:StartExecution' : 'states:StartSyncExecution'], arns);
      }
    }
  }

  private _grantSecrets(): void {
    const stack = Stack.of(this);
    const secrets = new Set<string>();
    const parameters = new Set<string>();
    for (const reference of this._routes.flatMap(secretReferences)) {
      const [scheme, rest] = [reference.slice(0, reference.indexOf(':')), reference.slice(reference.indexOf(':') + 1)];
      const name = rest.split('#')[0];
      if (scheme === 'secretsmanager') {
        secrets.add(name.startsWith('arn:') ? name : `arn:${stack.partition}:secretsmanager:${stack.region}:${stack.account}:secret:${name}-??????`);
      } else if (scheme === 'ssm') {
        parameters.add(name.startsWith('arn:') ? name : `arn:${stack.partition}:ssm:${stack.region}:${stack.account}:parameter/${name.replace(/^\//, '')}`);
      }
    }
    if (secrets.size > 0) {
      this._allow(['secretsmanager:GetSecretValue'], [...secrets]);
    }
    if (parameters.size > 0) {
      this._allow(['ssm:GetParameter'], [...parameters]);
    }
  }
}

/** A name without what says only that it is an ARN of a state machine. */
function squeeze(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '').replace(/(statemachine|machine)?(arn)?$/, '');
}

/** Answers HTTP requests with the outcome of a workflow. */
export class ExpresswayWebhook extends ExpresswayFunction {
  /** The API that requests come through. */
  public readonly api: apigateway.HttpApi;

  public constructor(scope: Construct, id: string, props: ExpresswayWebhookProps) {
    super(scope, id, 'webhook', 'http', props, 25);
    this.api = props.api ?? new apigateway.HttpApi(this, 'Api');
    const integration = new integrations.HttpLambdaIntegration('Routes', this.handler, { timeout: Duration.seconds(29) });
    for (const target of new Set(this._routes.map(apiPath))) {
      // All methods: senders ask for consent by others than the route's, and the function answers 405 to the rest.
      this.api.addRoutes({ path: target, methods: [apigateway.HttpMethod.ANY], integration });
    }
  }
}

/** Runs a workflow for each record of a queue. */
export class ExpresswayQueue extends ExpresswayFunction {
  public constructor(scope: Construct, id: string, props: ExpresswayQueueProps) {
    const environment: { [name: string]: string } = { ...props.environment };
    for (const [name, queue] of Object.entries(props.queues)) {
      environment[name] = queue.queueArn;
    }
    for (const [name, queue] of Object.entries(props.deadLetterQueues ?? {})) {
      environment[name] = queue.queueUrl;
    }
    super(scope, id, 'queue', 'sqs', { ...props, environment }, 60);
    for (const [name, queue] of Object.entries(props.queues)) {
      const own = this._routes.filter((r) => variable(r.sqs) === name);
      if (own.length === 0) {
        throw new Error(`no route reads the queue of ${name}; write sqs: \${${name}}`);
      }
      this.handler.addEventSource(new sources.SqsEventSource(queue, {
        batchSize: props.batchSize ?? 10, maxConcurrency: props.maxConcurrency, reportBatchItemFailures: true,
      }));
    }
    const dead = new Set(this._routes.map((r) => variable(r.deadLetterQueue)).filter((v): v is string => v !== undefined));
    for (const name of dead) {
      const queue = props.deadLetterQueues?.[name];
      if (queue) {
        this._allow(['sqs:SendMessage'], [queue.queueArn]);
      }
    }
  }
}

/** Runs a workflow for events of a bus. */
export class ExpresswayEvents extends ExpresswayFunction {
  public constructor(scope: Construct, id: string, props: ExpresswayEventsProps) {
    super(scope, id, 'event', 'eventbridge', props, 60);
    if (props.onFailure) {
      this.handler.configureAsyncInvoke({ onFailure: new destinations.SqsDestination(props.onFailure) });
    }
    for (const route of this._routes) {
      const pattern: { [key: string]: unknown } = {};
      const source = matchers(route.eventbridge?.source);
      const detailType = matchers(route.eventbridge?.['detail-type']);
      if (source) {
        pattern.source = source;
      }
      if (detailType) {
        pattern.detailType = detailType;
      }
      if (Object.keys(pattern).length === 0) {
        pattern.source = [{ prefix: '' }];
      }
      const rule = new events.Rule(this, `Rule-${route.name}`, { eventBus: props.bus, eventPattern: pattern as events.EventPattern });
      rule.addTarget(new targets.LambdaFunction(this.handler));
    }
  }
}
