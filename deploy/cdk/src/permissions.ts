import { Stack, Token } from 'aws-cdk-lib';
import { dedupes, Route, secretReferences, secretStore, Source } from './routes';

/** One statement of a role: actions on a resource, which a condition may narrow. */
export interface Need {
  actions: string[];
  resource: string;
  condition?: { [operator: string]: { [key: string]: string } };
}

/** What the permissions of a function are derived from. */
export interface Surroundings {
  stack: Stack;
  /** The environment of the function. */
  environment: { [name: string]: string };
  /** ARNs of constructs by their values in the environment: the URL of a queue, the name of a table or a bucket. */
  arns: Map<string, string>;
  /** ARNs of the state machines that wait for the routes that resume. */
  waiting: string[];
}

/** A text of a route with the values of its variables. */
export function expand(text: string, environment: { [name: string]: string }, where: string): string {
  return text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g, (_, name: string, fallback: string | undefined) => {
    const value = environment[name] || fallback;
    if (value === undefined) {
      throw new Error(`${where}: the variable ${name} has no value; set it in environment, or pass what it names in queues, deadLetterQueues, lookupTables or buckets`);
    }
    return value;
  });
}

/** The permissions that the routes of a function need, and nothing more. */
export function needs(routes: Route[], source: Source, s: Surroundings): Need[] {
  const out: Need[] = [];
  const head = (service: string) => `arn:${s.stack.partition}:${service}:${s.stack.region}:${s.stack.account}:`;
  const add = (resource: string, ...actions: string[]) => out.push({ actions, resource });
  for (const route of routes) {
    const value = (text: string, key: string) => expand(text, s.environment, `route ${route.name}: ${key}`);
    const admits = source === 'http';
    if (route.start !== undefined) {
      const started = unqualified(named(value(route.start, 'start'), head('states') + 'stateMachine:', s));
      add(started, route.mode === 'async' ? 'states:StartExecution' : 'states:StartSyncExecution');
    }
    if (route.queue !== undefined && admits) {
      add(queueArn(value(route.queue, 'queue'), route, 'queue', s), 'sqs:SendMessage');
    }
    if (route.deadLetterQueue !== undefined) {
      const address = value(route.deadLetterQueue, 'deadLetterQueue');
      if (address !== '') {
        add(queueArn(address, route, 'deadLetterQueue', s), 'sqs:SendMessage');
      }
    }
    const table = s.environment.EXPRESSWAY_DEDUPE_TABLE;
    if (dedupes(route) && table && !(route.queue !== undefined && admits)) {
      add(named(table, head('dynamodb') + 'table/', s), 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem');
    }
    if (route.resume) {
      // A link is rejected unless fail says otherwise.
      const actions = ['states:SendTaskSuccess'].concat(
        route.resume.fail !== undefined || route.verify === 'link' ? 'states:SendTaskFailure' : [],
        route.resume.heartbeat !== undefined ? 'states:SendTaskHeartbeat' : [],
      );
      if (s.waiting.length === 0) {
        throw new Error(`route ${route.name}: resume needs the state machines whose tasks wait; pass them in waiting: [machine]`);
      }
      s.waiting.forEach((arn) => add(unqualified(arn), ...actions));
      if (route.resume.lookup?.table !== undefined) {
        add(named(value(route.resume.lookup.table, 'resume.lookup.table'), head('dynamodb') + 'table/', s), 'dynamodb:GetItem');
      }
    }
    for (const reference of secretReferences(route)) {
      secret(value(reference, 'verify.secrets'), false);
    }
    const store = secretStore(route);
    if (store !== undefined) {
      secret(value(store, 'verify.handshake.store'), true);
    }
    if (route.offload !== undefined) {
      offload(route, value);
    }
  }
  return out;

  function secret(reference: string, put: boolean): void {
    const [scheme, name] = [reference.slice(0, reference.indexOf(':')), reference.slice(reference.indexOf(':') + 1).split('#')[0]];
    if (scheme === 'secretsmanager') {
      const arn = name.startsWith('arn:') ? name : `${head('secretsmanager')}secret:${name}-??????`;
      add(arn, 'secretsmanager:GetSecretValue', ...put ? ['secretsmanager:CreateSecret'] : []);
    } else if (scheme === 'ssm') {
      const arn = name.startsWith('arn:') ? name : `${head('ssm')}parameter/${name.replace(/^\//, '')}`;
      add(arn, 'ssm:GetParameter', ...put ? ['ssm:PutParameter'] : []);
    }
  }

  function offload(route: Route, value: (text: string, key: string) => string): void {
    const to = typeof route.offload === 'string' ? route.offload : route.offload?.to ?? '';
    const place = value(to, 'offload').replace(/^s3:\/\//, '').replace(/\/$/, '');
    add(`arn:${s.stack.partition}:s3:::${place}/*`, 's3:PutObject');
    const kmsKey = typeof route.offload === 'object' ? route.offload?.kmsKey : undefined;
    if (kmsKey === undefined) {
      return;
    }
    const key = value(kmsKey, 'offload.kmsKey');
    const alias = /(^|:)(alias\/.*)$/.exec(key)?.[2];
    if (alias === undefined) {
      add(named(key, head('kms') + 'key/', s), 'kms:GenerateDataKey');
    } else if (!alias.startsWith('alias/aws/')) {
      // IAM needs the key's own ARN, which an alias does not contain.
      out.push({ actions: ['kms:GenerateDataKey'], resource: head('kms') + 'key/*', condition: { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': alias } } });
    }
  }
}

/** The ARN of what a value names: a construct, an ARN, or a name of this account and region. */
function named(value: string, head: string, s: Surroundings): string {
  const arn = s.arns.get(value);
  if (arn !== undefined) {
    return arn;
  }
  return value.startsWith('arn:') || Token.isUnresolved(value) && head.includes(':stateMachine:') ? value : head + value;
}

/** The ARN without an alias or a version: permission to start one is granted on the state machine itself. */
function unqualified(arn: string): string {
  return Token.isUnresolved(arn) ? arn : arn.split(':').slice(0, 7).join(':');
}

/** The ARN of a queue that a route names by its URL or its ARN. */
function queueArn(address: string, route: Route, key: string, s: Surroundings): string {
  const arn = s.arns.get(address);
  if (arn !== undefined || address.startsWith('arn:')) {
    return arn ?? address;
  }
  const url = /^https:\/\/sqs\.([a-z0-9-]+)\.[^/]+\/([0-9]+)\/([A-Za-z0-9_-]+(?:\.fifo)?)$/.exec(address);
  if (!url) {
    throw new Error(`route ${route.name}: ${key} is ${address}, which is neither the URL nor the ARN of a queue; pass the queue in queues or deadLetterQueues`);
  }
  return `arn:${s.stack.partition}:sqs:${url[1]}:${url[2]}:${url[3]}`;
}

/** One need for the same actions, of all its resources. */
export function merge(list: Need[]): { actions: string[]; resources: string[]; condition?: Need['condition'] }[] {
  const found = new Map<string, { actions: string[]; resources: string[]; condition?: Need['condition'] }>();
  for (const need of list) {
    const key = JSON.stringify([need.actions, need.condition]);
    const statement = found.get(key) ?? { actions: need.actions, resources: [], condition: need.condition };
    if (!statement.resources.includes(need.resource)) {
      statement.resources.push(need.resource);
    }
    found.set(key, statement);
  }
  return [...found.values()];
}
