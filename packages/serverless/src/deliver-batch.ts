import type { ObjectStore } from "@orgloop/bus/sqs";
import { messageOf } from "@orgloop/sdk";
import { type ActorMessage, readActorMessage } from "./actor-message.ts";
import { bury } from "./burial.ts";
import { type Budget, type DeliveryHost, deliverMessage, type Verdict } from "./deliver-message.ts";
import { holdSeconds } from "./hold-time.ts";
import { invalidLetter, isUnreadable } from "./invalid-letter.ts";
import { oldestOfEachGroup, type QueueBound } from "./queue-bound.ts";
import {
  type BatchResponse,
  groupsOf,
  isTooOld,
  type ReceivedMessage,
  receivesOf,
  responseOf,
  unreadable,
} from "./received-message.ts";

/** Hides messages of one group of a queue for that many seconds, the first of them first. */
export type HideMessages = (
  queueUrl: string,
  receiptHandles: readonly string[],
  seconds: number,
) => Promise<void>;

export interface DeliverBatchOptions extends DeliveryHost {
  readonly objects: Pick<ObjectStore, "get">;
  readonly bound: QueueBound;
  /** How many deliveries may wait for an actor (`actors[].queue_depth`); undefined: it is none of this function's. */
  readonly depthOf: (actor: string) => number | undefined;
  readonly hide: HideMessages;
}

/** How soon what failed for a reason of ours (a store that did not answer, an actor that could not be opened) is tried again. */
const HOST_RETRY_MS = 15_000;

/** A message and what could be read of it. */
interface ReadMessage {
  readonly record: ReceivedMessage;
  readonly message: ActorMessage | Error;
}

/**
 * Delivers a batch of one actor's queue, one delivery after the other: how many go at once is the mapping's `MaximumConcurrency`. The first
 * of a group that has to wait comes back with all behind it, hidden for the same time; the other groups go on.
 */
export async function deliverBatch(
  records: readonly ReceivedMessage[],
  queueUrl: string,
  remainingMs: () => number,
  options: DeliverBatchOptions,
): Promise<BatchResponse> {
  const { clock, hide, flow } = options;
  const groups = await Promise.all(
    groupsOf(records).map((group) => Promise.all(group.map((record) => read(record, options)))),
  );
  const excess = await excessOf(groups, queueUrl, options);
  const budget: Budget = { remainingMs, attempts: 0 };
  const returned: ReceivedMessage[] = [];
  for (const group of groups) {
    for (const [at, one] of group.entries()) {
      const verdict = await deliverOne(one, excess.has(one), budget, options);
      if (verdict.kind === "settled") continue;
      const rest = group.slice(at).map(({ record }) => record);
      const seconds = holdSeconds(verdict.untilMs, clock.now(), receivesOf(one.record));
      const handles = rest.map(({ receiptHandle }) => receiptHandle);
      // Not hidden, they come back after the queue's own time: later than they should, and in order.
      await hide(queueUrl, handles, seconds).catch((error) =>
        flow.log({ phase: "system.error", error: `not hidden: ${messageOf(error)}` }),
      );
      returned.push(...rest);
      break;
    }
  }
  return responseOf(returned);
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
  budget: Budget,
  options: DeliverBatchOptions,
): Promise<Verdict> {
  const { clock, flow } = options;
  try {
    if (message instanceof Error) {
      if (!isUnreadable(message)) throw message;
      await bury(invalidLetter(unreadable(record), message, clock.now()), options);
      return { kind: "settled" };
    }
    const tooOld = isTooOld(record, clock.now());
    const held = { message, receives: receivesOf(record), tooOld, excess };
    return await deliverMessage(held, options, budget);
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

/** What is given up because too much waits for the actor: of what was received, the oldest of each group first. */
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
