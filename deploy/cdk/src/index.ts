import * as path from 'path';
import { Duration, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import * as integrations from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as destinations from 'aws-cdk-lib/aws-lambda-destinations';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { Alarms, ExpresswayAlarms } from './alarms';
import { expand, merge, needs } from './permissions';
import { apiPath, dedupes, matchers, readRoutes, Route, routesOf, secretReferences, Source, texts, variable } from './routes';

export { ExpresswayAlarms } from './alarms';

/** Properties of all Expressway functions. */
export interface ExpresswayProps {
  /** The folder that holds expressway.yaml: the function's code. */
  readonly config: string;
  /**
   * The state machines that the routes start. Each is assigned to the variable of a start: key that is named after
   * it: ORDERS_ARN, ORDERS_MACHINE_ARN or ORDERS_STATE_MACHINE_ARN for the construct Orders. A single machine is
   * assigned to a single variable, whatever its name.
   */
  readonly machines?: sfn.IStateMachine[];
  /** State machines by the variable that start: reads, if their names do not match as for machines. */
  readonly machineVariables?: { [variable: string]: sfn.IStateMachine };
  /** The state machines whose tasks wait for the routes with resume:. */
  readonly waiting?: sfn.IStateMachine[];
  /** Tables by the variable that the table of a resume.lookup reads. */
  readonly lookupTables?: { [variable: string]: dynamodb.ITable };
  /** Buckets by the variable that offload: reads. */
  readonly buckets?: { [variable: string]: s3.IBucket };
  /**
   * Keys that encrypt what the routes use and that cannot be found through constructs: those of secrets, of the bucket
   * of offload, and of imported queues and tables. The keys of queues and tables that are passed as constructs are known.
   */
  readonly keys?: kms.IKey[];
  /** The Expressway layer. One of layer and layerFile is needed. */
  readonly layer?: lambda.ILayerVersion;
  /** The zip that `expressway layer` wrote. */
  readonly layerFile?: string;
  /** @default arm64 */
  readonly architecture?: lambda.Architecture;
  /** Further variables, such as secrets that env: references name. */
  readonly environment?: { [name: string]: string };
  /** The table in which routes with dedupe remember deliveries. Without it, each execution environment only remembers its own. */
  readonly dedupeTable?: dynamodb.ITable;
  /** @default 256 */
  readonly memorySize?: number;
  /** @default 25 seconds for webhooks, 60 seconds for queues and events */
  readonly timeout?: Duration;
  /** @default no alarms */
  readonly alarms?: ExpresswayAlarms;
}

/** Properties of a webhook function. */
export interface ExpresswayWebhookProps extends ExpresswayProps {
  /** @default an HTTP API of its own */
  readonly api?: apigateway.HttpApi;
  /** The queues that accept deliveries, by the variable that queue: reads. */
  readonly queues?: { [variable: string]: sqs.IQueue };
}

/** Properties of a queue function. */
export interface ExpresswayQueueProps extends ExpresswayProps {
  /** The queues that feed the function, by the variable that sqs: or queue: reads. */
  readonly queues: { [variable: string]: sqs.IQueue };
  /** Dead-letter queues of routes, by the variable that deadLetterQueue: reads. */
  readonly deadLetterQueues?: { [variable: string]: sqs.IQueue };
  /** @default 10 */
  readonly batchSize?: number;
  /** The maximum number of pollers. */
  readonly maxConcurrency?: number;
}

/** Properties of an event function. */
export interface ExpresswayEventsProps extends ExpresswayProps {
  /** @default the account's bus */
  readonly bus?: events.IEventBus;
  /** The queue that receives events that failed for good. */
  readonly onFailure?: sqs.IQueue;
}

/** The queues of a function, by variable: fed are ARNs in its environment, sent are URLs. */
interface Queues {
  readonly fed: { [variable: string]: sqs.IQueue };
  readonly sent: { [variable: string]: sqs.IQueue };
}

/** What the three functions have in common. */
abstract class ExpresswayFunction extends Construct {
  /** The Lambda function. */
  public readonly handler: lambda.Function;

  /** @internal */
  protected readonly _routes: Route[];
  /** @internal */
  protected readonly _environment: { [name: string]: string };
  /** @internal */
  protected readonly _alarms?: Alarms;

  /** @internal */
  protected constructor(scope: Construct, id: string, source: Source, props: ExpresswayProps, queues: Queues) {
    super(scope, id);
    const file = path.join(props.config, 'expressway.yaml');
    this._routes = routesOf(readRoutes(props.config), source);
    if (this._routes.length === 0) {
      throw new Error(`${file} has no ${source} route`);
    }
    const arns = new Map<string, string>();
    const environment: { [name: string]: string } = { ...props.environment };
    this._environment = environment;
    const give = (name: string, value: string, arn: string) => {
      environment[name] = value;
      arns.set(value, arn);
    };
    Object.entries(this._machines(props)).forEach(([name, m]) => give(name, m.stateMachineArn, m.stateMachineArn));
    Object.entries(queues.fed).forEach(([name, q]) => give(name, q.queueArn, q.queueArn));
    Object.entries(queues.sent).forEach(([name, q]) => give(name, q.queueUrl, q.queueArn));
    Object.entries(props.lookupTables ?? {}).forEach(([name, t]) => give(name, t.tableName, t.tableArn));
    Object.entries(props.buckets ?? {}).forEach(([name, b]) => give(name, b.bucketName, b.bucketArn));
    const table = this._routes.some((r) => dedupes(r) && !(source === 'http' && r.queue !== undefined)) ? props.dedupeTable : undefined;
    if (table) {
      give('EXPRESSWAY_DEDUPE_TABLE', table.tableName, table.tableArn);
    }
    this._checkVariables(file);

    const architecture = props.architecture ?? lambda.Architecture.ARM_64;
    const timeout = props.timeout ?? Duration.seconds(source === 'http' ? 25 : 60);
    this.handler = new lambda.Function(this, 'Function', {
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture,
      handler: { http: 'webhook', sqs: 'queue', eventbridge: 'event' }[source],
      code: lambda.Code.fromAsset(props.config),
      layers: [this._layer(props, architecture)],
      memorySize: props.memorySize ?? 256,
      timeout,
      tracing: lambda.Tracing.ACTIVE,
      loggingFormat: lambda.LoggingFormat.JSON,
      environment,
    });
    const found = merge(needs(this._routes, source, { stack: Stack.of(this), environment, arns, waiting: (props.waiting ?? []).map((m) => m.stateMachineArn) }));
    for (const { actions, resources, condition } of found) {
      this.handler.addToRolePolicy(new iam.PolicyStatement({ actions, resources, conditions: condition }));
    }
    this._grantKeys(props, queues, found.flatMap((f) => f.actions), table);
    if (props.alarms) {
      this._alarms = new Alarms(new Construct(this, 'Alarms'), props.alarms);
      this._alarms.ofFunction(this.handler.functionName, timeout);
    }
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
        throw new Error(`start: \${${name}} names no state machine; pass it in machineVariables: { ${name}: machine }`);
      }
    }
    return found;
  }

  /** A function whose variables have no values does not start. */
  private _checkVariables(file: string): void {
    for (const route of this._routes) {
      texts(route).forEach((text) => expand(text, this._environment, `${file}: route ${route.name}`));
      for (const reference of secretReferences(route)) {
        const name = /^env:(.*)$/.exec(expand(reference, this._environment, route.name))?.[1];
        if (name !== undefined && !this._environment[name]) {
          throw new Error(`${file}: route ${route.name}: the secret env:${name} has no value; set it in environment`);
        }
      }
    }
  }

  /** Grants the use of keys: services use them on behalf of the function. */
  private _grantKeys(props: ExpresswayProps, queues: Queues, actions: string[], table?: dynamodb.ITable): void {
    const writes = actions.includes('sqs:SendMessage') || actions.includes('s3:PutObject');
    props.keys?.forEach((key) => key.grant(this.handler, 'kms:Decrypt', ...writes ? ['kms:GenerateDataKey'] : []));
    const used = <T>(all: { [variable: string]: T } | undefined) => Object.entries(all ?? {}).filter(([name]) => reads(this._routes, name)).map(([, v]) => v);
    used(queues.fed).forEach((q) => q.encryptionMasterKey?.grant(this.handler, 'kms:Decrypt'));
    used(queues.sent).forEach((q) => q.encryptionMasterKey?.grant(this.handler, 'kms:Decrypt', 'kms:GenerateDataKey'));
    [table, ...used(props.lookupTables)].forEach((t) => t?.encryptionKey?.grant(this.handler, 'kms:Decrypt'));
    used(props.buckets).forEach((b) => b.encryptionKey?.grant(this.handler, 'kms:GenerateDataKey'));
  }
}

/** Whether a route reads a variable. */
function reads(routes: Route[], name: string): boolean {
  return texts(routes).some((text) => text.includes(`\${${name}}`) || text.includes(`\${${name}:-`));
}

/** A name without the suffix that only says that it is the ARN of a state machine. */
function squeeze(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '').replace(/(statemachine|machine)?(arn)?$/, '');
}

/** Answers HTTP requests with the outcome of a workflow. */
export class ExpresswayWebhook extends ExpresswayFunction {
  /** The API that requests come through. */
  public readonly api: apigateway.HttpApi;

  public constructor(scope: Construct, id: string, props: ExpresswayWebhookProps) {
    super(scope, id, 'http', props, { fed: {}, sent: props.queues ?? {} });
    this.api = props.api ?? new apigateway.HttpApi(this, 'Api');
    const integration = new integrations.HttpLambdaIntegration('Routes', this.handler, { timeout: Duration.seconds(29) });
    for (const target of new Set(this._routes.map(apiPath))) {
      // All methods: senders ask for consent with methods other than the route's, and the
      // function answers 405 to the rest.
      this.api.addRoutes({ path: target, methods: [apigateway.HttpMethod.ANY], integration });
    }
    this._alarms?.ofApi(this.api.apiId);
  }
}

/** Runs a workflow for each record of a queue. */
export class ExpresswayQueue extends ExpresswayFunction {
  public constructor(scope: Construct, id: string, props: ExpresswayQueueProps) {
    super(scope, id, 'sqs', props, { fed: props.queues, sent: props.deadLetterQueues ?? {} });
    for (const [name, queue] of Object.entries(props.queues)) {
      const own = this._routes.filter((r) => variable(r.sqs ?? r.queue) === name);
      if (own.length === 0) {
        throw new Error(`no route reads the queue of ${name}; write sqs: \${${name}}`);
      }
      new lambda.EventSourceMapping(this, `Mapping-${name}`, {
        target: this.handler, eventSourceArn: queue.queueArn, batchSize: props.batchSize ?? 10, maxConcurrency: props.maxConcurrency, reportBatchItemFailures: true,
      });
      // The visibility of a message is changed if it is retried, or if another attempt holds its delivery.
      const retries = own.some((r) => r.retry !== undefined || dedupes(r));
      this._allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', ...retries ? ['sqs:ChangeMessageVisibility'] : []], [queue.queueArn]);
      this._alarms?.ofQueue(name, queue.queueName);
    }
    Object.entries(props.deadLetterQueues ?? {}).forEach(([name, queue]) => this._alarms?.ofDeadLetters(name, queue.queueName));
  }
}

/** Runs a workflow for events of a bus. */
export class ExpresswayEvents extends ExpresswayFunction {
  public constructor(scope: Construct, id: string, props: ExpresswayEventsProps) {
    super(scope, id, 'eventbridge', props, { fed: {}, sent: {} });
    if (props.onFailure) {
      this.handler.configureAsyncInvoke({ onFailure: new destinations.SqsDestination(props.onFailure) });
      this._alarms?.ofDeadLetters('Failed', props.onFailure.queueName);
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
