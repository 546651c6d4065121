import { createHash } from "node:crypto";
import type { DeliverySpec } from "@orgloop/sdk";

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

/** SQS's limit for message groups and deduplication ids is 128; a suffix must fit behind. */
const READABLE = /^[A-Za-z0-9_./-]{1,100}$/;
const READABLE_ID = /^[A-Za-z0-9_-]{1,100}$/;

/** `~` stands in no readable form. */
const hashed = (text: string): string => `~${sha256(text)}`;

/**
 * The bus's message group of a source, or of one ordering key of it: the order of its events is
 * kept. The source's id where SQS allows it, else a hash.
 */
export function messageGroup(source: string, key: string | null = null): string {
  if (key !== null) return `~${slug(source, 40)}~${sha256(JSON.stringify([source, key]))}`;
  return READABLE.test(source) ? source : hashed(source);
}

/**
 * By which SQS forgets, for 5 minutes, an event or a replay that was put on the bus twice without
 * publications of its own.
 */
export function eventDedupId({ id, replay }: { id: string; replay?: number }): string {
  const name = READABLE_ID.test(id) ? id : hashed(id);
  return replay ? `${name}.r${replay}` : name;
}

/** What identifies one delivery among all of its actor. */
export interface DeliveryIdentity {
  readonly eventId: string;
  readonly route: string;
  /** 0: the first time. */
  readonly replay: number;
  /** Which publication of the event, where it is delivered once more. */
  readonly publication?: string | undefined;
}

/**
 * By which an actor's queue forgets a delivery that was sent twice. Two routes of one actor and
 * replays are told apart.
 */
export function deliveryDedupId(identity: DeliveryIdentity): string {
  const { eventId, route, replay, publication = [] } = identity;
  return sha256(JSON.stringify([eventId, route, replay].concat(publication)));
}

/**
 * The message group of a delivery in its actor's queue: what waits in one is delivered in order.
 * `order: key` has a group a route and ordering key, `route` a group a route, `none` a group a
 * delivery.
 */
export function deliveryGroup(
  delivery: DeliveryIdentity & {
    readonly orderingKey: string;
    readonly order: DeliverySpec["order"];
  },
): string {
  const { eventId, route, replay, orderingKey, order } = delivery;
  const parts = {
    key: ["key", route, orderingKey],
    route: ["route", route],
    none: ["none", route, eventId, replay],
  }[order];
  return `${slug(route, 60)}-${sha256(JSON.stringify(parts))}`;
}

/** SHA-256 in lower-case hex. */
export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Lower-case letters, digits and single hyphens, of at most `length` characters; may be empty. */
function slug(text: string, length: number): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, length + 1)
    .replace(/^-/, "")
    .slice(0, length)
    .replace(/-$/, "");
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
