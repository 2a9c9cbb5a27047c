import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

/** Which alarms a function has, and where they go. */
export interface ExpresswayAlarms {
  /** The topic that the alarms go to. */
  readonly topic?: sns.ITopic;
  /**
   * The number of failed deliveries in five minutes that raises an alarm.
   * @default 5
   */
  readonly failed?: number;
  /**
   * The number of refused deliveries in five minutes that raises an alarm.
   * @default 50
   */
  readonly rejected?: number;
  /**
   * The number of 5xx answers of the API in five minutes that raises an alarm.
   * @default 5
   */
  readonly serverErrors?: number;
  /**
   * The maximum age of a message in a queue.
   * @default 15 minutes
   */
  readonly maxAge?: Duration;
  /** The runbook that the alarms' texts link to. */
  readonly runbookUrl?: string;
}

const defaultRunbook = 'https://github.com/expressway-dev/expressway/blob/main/docs/operations.md';

/** What differs between the alarms; the rest is the same for all. */
interface Alarm {
  readonly text: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimension: [string, string];
  readonly threshold?: number;
  readonly maximum?: boolean;
  /** The number of periods of five minutes, and in how many of them the condition must hold. */
  readonly periods?: [number, number];
}

/** Makes the alarms of deploy/alarms in the repository. */
export class Alarms {
  public constructor(private readonly scope: Construct, private readonly props: ExpresswayAlarms) {}

  /** The alarms of a function. */
  public ofFunction(name: string, timeout: Duration): void {
    const dimension: [string, string] = ['FunctionName', name];
    const seconds = timeout.toSeconds();
    this.add('Errors', { text: `The function ${name} failed.`, namespace: 'AWS/Lambda', metric: 'Errors', dimension });
    this.add('Throttles', { text: `Lambda throttles the function ${name}.`, namespace: 'AWS/Lambda', metric: 'Throttles', dimension, periods: [3, 2] });
    // The threshold is in milliseconds, so it is an expression over the metric in seconds.
    new cloudwatch.CfnAlarm(this.scope, 'Duration', {
      ...this.common('Duration', `The function ${name} runs for nine tenths of its timeout of ${seconds} s.`),
      metrics: [
        { id: 'longest', returnData: false, metricStat: { metric: { namespace: 'AWS/Lambda', metricName: 'Duration', dimensions: [{ name: 'FunctionName', value: name }] }, stat: 'Maximum', period: 300 } },
        { id: 'share', label: 'share of the timeout', expression: `longest / (1000 * ${seconds})` },
      ],
      threshold: 0.9,
    });
    const namespace = 'Expressway';
    this.add('Unknown', { text: `The function ${name} does not know the end of an execution, which may have run.`, namespace, metric: 'Unknown', dimension });
    this.add('Failed', { text: `Deliveries to the function ${name} fail.`, namespace, metric: 'Failed', dimension, threshold: this.props.failed ?? 5 });
    this.add('Throttled', { text: `Step Functions throttles the starts of the function ${name}.`, namespace, metric: 'Throttled', dimension, periods: [3, 3] });
    this.add('Rejected', {
      text: `The function ${name} refuses many deliveries: no route, a wrong signature, or malformed.`, namespace, metric: 'Rejected', dimension, threshold: this.props.rejected ?? 50,
    });
  }

  /** The alarm on the age of the messages of a queue. */
  public ofQueue(id: string, name: string): void {
    const seconds = (this.props.maxAge ?? Duration.minutes(15)).toSeconds();
    this.add('Age', {
      text: `The oldest message of the queue ${name} is older than ${seconds} s.`,
      namespace: 'AWS/SQS', metric: 'ApproximateAgeOfOldestMessage', dimension: ['QueueName', name], maximum: true, threshold: seconds,
    }, id);
  }

  /** The alarm on messages in a dead-letter queue. */
  public ofDeadLetters(id: string, name: string): void {
    this.add('DeadLetters', {
      text: `There are messages in the dead-letter queue ${name}.`, namespace: 'AWS/SQS', metric: 'ApproximateNumberOfMessagesVisible', dimension: ['QueueName', name], maximum: true,
    }, id);
  }

  /** The alarm on the answers of an HTTP API. */
  public ofApi(id: string): void {
    this.add('ServerErrors', {
      text: `The API ${id} answers 5xx.`, namespace: 'AWS/ApiGateway', metric: '5xx', dimension: ['ApiId', id], threshold: this.props.serverErrors ?? 5,
    });
  }

  private add(name: string, a: Alarm, of = ''): void {
    const [evaluationPeriods, datapointsToAlarm] = a.periods ?? [1, 1];
    new cloudwatch.CfnAlarm(this.scope, `${name}${of}`, {
      ...this.common(name, a.text),
      namespace: a.namespace,
      metricName: a.metric,
      dimensions: [{ name: a.dimension[0], value: a.dimension[1] }],
      statistic: a.maximum ? 'Maximum' : 'Sum',
      period: 300,
      evaluationPeriods,
      datapointsToAlarm,
      threshold: a.threshold ?? 1,
    });
  }

  private common(name: string, text: string) {
    const actions = this.props.topic ? [this.props.topic.topicArn] : undefined;
    return {
      alarmDescription: `${text} Runbook: ${this.props.runbookUrl ?? defaultRunbook}#alarm-${name.toLowerCase()}`,
      comparisonOperator: 'GreaterThanOrEqualToThreshold',
      evaluationPeriods: 1,
      datapointsToAlarm: 1,
      treatMissingData: 'notBreaching', // zeros are not written
      alarmActions: actions,
      okActions: actions,
    };
  }
}
