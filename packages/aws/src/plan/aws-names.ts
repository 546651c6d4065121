import { sha256, slug } from "./message-keys.ts";

/**
 * Names in AWS of everything of a stage. Predictable, so that stacks refer to each other without
 * exports.
 */
export interface AwsNames {
  /** The stage as it stands in names. */
  readonly stage: string;
  /** What every name begins with. */
  readonly prefix: string;
  readonly bus: string;
  readonly busDlq: string;
  /** The queue of what is to be recorded, and the function that records it. */
  readonly history: string;
  readonly historyDlq: string;
  readonly historian: string;
  readonly table: string;
  readonly router: string;
  readonly receiver: string;
  /** The function that records what was applied. */
  readonly recorder: string;
  /** The function that empties the bucket before it is deleted. */
  readonly emptier: string;
  /** The function that looks after the inboxes, and its schedule. */
  readonly sweeper: string;
  /** The parameter that holds in how many stacks the stage lies. */
  readonly layoutParameter: string;
  /** SSM: the router's pointer to its Topology. */
  readonly topologyParameter: string;
  /** SSM: there while the stage is deployed or removed. */
  readonly lockParameter: string;
  readonly scheduleGroup: string;
  readonly dashboard: string;
  readonly api: string;
  /** What every actor queue's name begins with; no name of another stage does. */
  readonly actorPrefix: string;
  actorQueue(actor: string): string;
  actorDlq(actor: string): string;
  /** `group` is an actor's id, or the key of several (`delivererGroup`). */
  deliverer(group: string): string;
  /** `group` is a source's id, or the key of several (`pollerGroup`). */
  poller(group: string): string;
  schedule(source: string): string;
  alarm(subject: string): string;
  /** The SNS topic of `aws.alarms.emails`. */
  readonly alarmTopic: string;
  /** S3's names are global: hence account and region. */
  bucket(account: string, region: string): string;
  logGroup(functionName: string): string;
}

const STAGE_LIMIT = 24;
/** Of functions, roles, schedules and schedule groups. */
const NAME_LIMIT = 64;
/** Of an SQS queue, with `.fifo`. */
const QUEUE_LIMIT = 80;

/**
 * A stage that may stand in names as it is: short, and no other stage's shortened form or prefix.
 */
const PLAIN_STAGE = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const SHORTENED = /(^|-)[0-9a-f]{8}$/;
const KIND = /-(actor|poll)(-|$)/;

/**
 * The stage in names: as it is where AWS allows it everywhere (at most 24 lower-case letters,
 * digits and single hyphens), else shortened with 8 hex digits of its hash.
 */
export function stageName(stage: string): string {
  const plain = PLAIN_STAGE.test(stage) && !SHORTENED.test(stage) && !KIND.test(stage);
  if (plain && stage.length <= STAGE_LIMIT) return stage;
  // Without hyphens: no prefix of one stage can be another's.
  return `${slug(stage, 40).replaceAll("-", "").slice(0, 12)}-${sha256(stage).slice(0, 8)}`.replace(
    /^-/,
    "",
  );
}

/**
 * The names of a stage (`docs/configuration.md`, AWS): at most 64 characters, 80 for queues, 63 for
 * the bucket.
 */
export function awsNames(stageId: string): AwsNames {
  const stage = stageName(stageId);
  const prefix = `orgloop-${stage}-`;
  const named = (kind: string, id: string) => sluggedName(`${prefix}${kind}-`, id, "", NAME_LIMIT);
  const actorPrefix = `${prefix}actor-`;
  // The slug is as long as the longer of the two names leaves room for, so that both read the same.
  const queue = (actor: string) => sluggedName(actorPrefix, actor, "", QUEUE_LIMIT - 9);
  return {
    stage,
    prefix,
    bus: `${prefix}bus.fifo`,
    busDlq: `${prefix}bus-dlq.fifo`,
    history: `${prefix}history`,
    historyDlq: `${prefix}history-dlq`,
    historian: `${prefix}history`,
    table: `${prefix}state`,
    router: `${prefix}route`,
    receiver: `${prefix}receive`,
    recorder: `${prefix}record`,
    emptier: `${prefix}empty`,
    sweeper: `${prefix}sweep`,
    layoutParameter: `/orgloop/${stage}/layout`,
    topologyParameter: `/orgloop/${stage}/topology`,
    lockParameter: `/orgloop/${stage}/lock`,
    scheduleGroup: `${prefix}sources`,
    dashboard: `${prefix}dashboard`,
    api: `${prefix}webhooks`,
    actorPrefix,
    actorQueue: (actor) => `${queue(actor)}.fifo`,
    actorDlq: (actor) => `${queue(actor)}-dlq.fifo`,
    deliverer: (group) => named("deliver", group),
    poller: (group) => named("poll", group),
    schedule: (source) => named("source", source),
    alarm: (subject) => `${prefix}${subject}`,
    alarmTopic: `${prefix}alarms`,
    bucket: (account, region) => `${prefix}${account}-${region}`,
    logGroup: (functionName) => `/aws/lambda/${functionName}`,
  };
}

/**
 * `PREFIX-SLUG-HASH-SUFFIX` of at most `limit` characters: readable, and its 8 hex digits of `id`'s
 * SHA-256 tell ids apart.
 */
function sluggedName(prefix: string, id: string, suffix: string, limit: number): string {
  const hash = sha256(id).slice(0, 8);
  const room = limit - prefix.length - suffix.length - hash.length - 1;
  const readable = slug(id, room);
  return `${prefix}${readable === "" ? "" : `${readable}-`}${hash}${suffix}`;
}
