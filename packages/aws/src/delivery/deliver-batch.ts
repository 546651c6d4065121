import { waitUntil } from "@orgloop/engine";
import { messageOf } from "@orgloop/sdk";
import { deliveryConcurrency } from "../plan/delivery-concurrency.ts";
import { type ActorMessage, readActorMessage } from "../queue/actor-message.ts";
import { holdSeconds } from "../queue/hold-time.ts";
import type { ObjectStore } from "../queue/message-body.ts";
import { oldestOfEachGroup, type QueueBound } from "../queue/queue-bound.ts";
import {
  type BatchResponse,
  groupsOf,
  isTooOld,
  type ReceivedMessage,
  receivesOf,
  responseOf,
  unreadable,
} from "../queue/received-message.ts";
import { type Invocation, newInvocation } from "./deliver-in-time.ts";
import { deliverMessage, type MessagePorts, type Verdict } from "./deliver-message.ts";
import { invalidLetter, isUnreadable, writeDeadLetter } from "./write-dead-letter.ts";

/** Hides messages of one group of a queue for that many seconds, the first of them first. */
export type HideMessages = (
  queueUrl: string,
  receiptHandles: readonly string[],
  seconds: number,
) => Promise<void>;

/** Removes messages of a batch from their queue. */
export type RemoveMessages = (queueUrl: string, receiptHandles: readonly string[]) => Promise<void>;

export interface DeliverBatchOptions extends MessagePorts {
  readonly objects: Pick<ObjectStore, "get">;
  readonly bound: QueueBound;
  /**
   * How many deliveries may wait for an actor (`actors[].queue_depth`); undefined: it is none of
   * this function's.
   */
  readonly depthOf: (actor: string) => number | undefined;
  readonly hide: HideMessages;
  readonly remove: RemoveMessages;
}

/**
 * How soon what failed for a reason of ours (a store that did not answer, an actor that could not
 * be opened) is tried again.
 */
const HOST_RETRY_MS = 15_000;

/**
 * A batch that takes longer is not waited for by what is done with: until it is removed, its group
 * stays locked.
 */
const SLOW_MS = 2_000;

/** A message and what could be read of it. */
interface ReadMessage {
  readonly record: ReceivedMessage;
  readonly message: ActorMessage | Error;
}

/**
 * Delivers a batch of one actor's queue: the groups beside each other, each in its order, with as
 * many attempts at a time as the routes' `concurrency` leaves for an invocation. The first of a
 * group that has to wait comes back with all behind it, hidden for the same time.
 */
export async function deliverBatch(
  records: readonly ReceivedMessage[],
  queueUrl: string,
  remainingMs: () => number,
  options: DeliverBatchOptions,
): Promise<BatchResponse> {
  const { clock } = options;
  const slowMs = clock.now() + SLOW_MS;
  const groups = await Promise.all(
    groupsOf(records).map((group) => Promise.all(group.map((record) => read(record, options)))),
  );
  const excess = await excessOf(groups, queueUrl, options);
  const invocation = newInvocation(remainingMs, togetherOf(groups.flat()));
  const returned = new Set<ReceivedMessage>();

  async function deliverGroup(group: readonly ReadMessage[]): Promise<Delivered> {
    for (const [at, one] of group.entries()) {
      const verdict = await deliverOne(one, excess.has(one), invocation, options);
      if (verdict.kind === "settled") continue;
      const [settled, rest] = [group.slice(0, at), group.slice(at)];
      if (verdict.kind === "alone") return { settled, suspect: rest };
      for (const { record } of rest) returned.add(record);
      await hideGroup(rest, verdict.untilMs, queueUrl, options);
      return { settled, suspect: [] };
    }
    return { settled: group, suspect: [] };
  }

  const ended = new AbortController();
  const early: Promise<void>[] = [];
  const removeEarly = async (settled: readonly ReadMessage[]): Promise<void> => {
    await waitUntil(clock, slowMs, ended.signal);
    if (!ended.signal.aborted) await removeGroup(settled, queueUrl, options);
  };
  const suspects = await Promise.all(
    groups.map(async (group) => {
      const { settled, suspect } = await deliverGroup(group);
      early.push(removeEarly(settled));
      return suspect;
    }),
  );
  invocation.alone = true;
  for (const group of suspects) await deliverGroup(group);
  ended.abort();
  await Promise.all(early);
  return responseOf(records.filter((record) => returned.has(record)));
}

/**
 * What became of a group: what is done with, and what is left because its first has to be alone.
 */
interface Delivered {
  readonly settled: readonly ReadMessage[];
  readonly suspect: readonly ReadMessage[];
}

/** Attempts at a time: what the strictest route among the messages leaves for an invocation. */
function togetherOf(messages: readonly ReadMessage[]): number {
  const allowed = messages.flatMap(({ message }) =>
    message instanceof Error ? [] : message.policy.concurrency,
  );
  return deliveryConcurrency(Math.min(...allowed)).together;
}

async function hideGroup(
  group: readonly ReadMessage[],
  untilMs: number,
  queueUrl: string,
  { clock, hide, flow }: DeliverBatchOptions,
): Promise<void> {
  const [head] = group;
  if (head === undefined) return;
  const waitedMs = clock.now() - Number(head.record.attributes.SentTimestamp);
  flow.count("waited", Math.max(0, waitedMs));
  const seconds = holdSeconds(untilMs, clock.now(), receivesOf(head.record));
  const handles = group.map(({ record }) => record.receiptHandle);
  // Not hidden, they come back after the queue's own time: later than they should, and in order.
  await hide(queueUrl, handles, seconds).catch((error) =>
    flow.log({ phase: "system.error", error: `not hidden: ${messageOf(error)}` }),
  );
}

async function removeGroup(
  group: readonly ReadMessage[],
  queueUrl: string,
  { remove, flow }: DeliverBatchOptions,
): Promise<void> {
  if (group.length === 0) return;
  const handles = group.map(({ record }) => record.receiptHandle);
  // Not removed, they go with the batch.
  await remove(queueUrl, handles).catch((error) =>
    flow.log({ phase: "system.error", error: `not removed: ${messageOf(error)}` }),
  );
}

async function read(
  record: ReceivedMessage,
  { objects }: DeliverBatchOptions,
): Promise<ReadMessage> {
  try {
    return { record, message: await readActorMessage(record.body, objects) };
  } catch (error) {
    return { record, message: error instanceof Error ? error : new Error(String(error)) };
  }
}

async function deliverOne(
  { record, message }: ReadMessage,
  excess: boolean,
  invocation: Invocation,
  options: DeliverBatchOptions,
): Promise<Verdict> {
  const { clock, flow } = options;
  try {
    const tooOld = isTooOld(record, clock.now());
    if (message instanceof Error) {
      if (!isUnreadable(message) && !tooOld) throw message;
      await writeDeadLetter(invalidLetter(unreadable(record), message, clock.now()), options);
      return { kind: "settled" };
    }
    const received = { message, receives: receivesOf(record), tooOld, excess };
    return await deliverMessage(received, options, invocation);
  } catch (error) {
    flow.log({ phase: "system.error", error: messageOf(error), ...about(message) });
    return { kind: "hold", untilMs: clock.now() + HOST_RETRY_MS };
  }
}

function about(message: ActorMessage | Error) {
  if (message instanceof Error) return {};
  const { event, route, actor } = message.delivery;
  return {
    event_id: event.id,
    trace_id: event.trace_id,
    source: event.source,
    route,
    target: actor,
  };
}

/**
 * What is given up because too much waits for the actor: of what was received, the oldest of each
 * group first.
 */
async function excessOf(
  groups: readonly (readonly ReadMessage[])[],
  queueUrl: string,
  { bound, depthOf, flow }: DeliverBatchOptions,
): Promise<ReadonlySet<ReadMessage>> {
  const messages = groups
    .flat()
    .flatMap(({ message }) => (message instanceof Error ? [] : message));
  const [first] = messages;
  const depth = first === undefined ? undefined : depthOf(first.delivery.actor);
  if (depth === undefined) return new Set();
  const raised = Math.max(depth, ...messages.map(({ policy }) => policy.queue_depth ?? 0));
  try {
    const count = await bound.excess(queueUrl, raised, messages.length);
    return oldestOfEachGroup(groups, count);
  } catch (error) {
    flow.log({
      phase: "system.error",
      error: `the queue could not be counted: ${messageOf(error)}`,
    });
    return new Set();
  }
}
