import { randomBytes } from "node:crypto";
import type { Clock, Delivery, RecordedLine } from "@orgloop/engine";
import { messageOf, type RouteSpec } from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";
import { actorMessage } from "../queue/actor-message.ts";
import type { ObjectStore } from "../queue/message-body.ts";
import type { ReceivedMessage } from "../queue/received-message.ts";
import type { FifoMessage, SqsSender } from "../queue/sqs-sender.ts";

/** What has become of a message of the bus. */
export interface Routed {
  readonly record: ReceivedMessage;
  readonly deliveries: readonly Delivery[];
  readonly line: RecordedLine | null;
}

export interface SendRoutedOptions {
  readonly routes: ReadonlyMap<string, RouteSpec>;
  /** Of each actor, how many routes lead to it. */
  readonly routesTo: ReadonlyMap<string, number>;
  readonly topologyHash: string;
  readonly sender: Pick<SqsSender, "sendEach">;
  readonly queueUrlOf: (actor: string) => string;
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly flow: FlowLog;
}

interface Sending {
  readonly record: ReceivedMessage;
  readonly message: FifoMessage;
}

/**
 * Sends what was matched, queue by queue in the order of the batch; what a queue did not take makes
 * its event fail.
 */
export async function sendRouted(
  routed: readonly Routed[],
  failed: Set<ReceivedMessage>,
  options: SendRoutedOptions,
): Promise<void> {
  const { sender, queueUrlOf, clock, flow } = options;
  const nowMs = clock.now();
  const fail = ({ record }: Pick<Sending, "record">, target: string, error: unknown): void => {
    failed.add(record);
    flow.log({ phase: "system.error", target, error: messageOf(error) });
  };
  const pairs = routed.flatMap(({ record, deliveries }) =>
    deliveries.map((delivery) => ({ record, delivery })),
  );
  const byActor = Map.groupBy(pairs, ({ delivery }) => delivery.actor);
  await Promise.all(
    Array.from(byActor, async ([actor, queue]) => {
      const made = await Promise.all(
        queue.map(({ record, delivery }) =>
          queueMessage(delivery, nowMs, options).then(
            (message): Sending => ({ record, message }),
            (error) => fail({ record }, actor, error),
          ),
        ),
      );
      const sending = made.filter((one) => one !== undefined);
      const messages = sending.map(({ message }) => message);
      const outcomes = await sender.sendEach(queueUrlOf(actor), messages);
      for (const [at, error] of outcomes.entries()) {
        if (error === null) flow.count("matched");
        else fail(sending[at] as Sending, actor, error);
      }
    }),
  );
}

function queueMessage(
  delivery: Delivery,
  nowMs: number,
  { routes, routesTo, topologyHash, objects }: SendRoutedOptions,
): Promise<FifoMessage> {
  const route = routes.get(delivery.route) as RouteSpec;
  const severalRoutes = (routesTo.get(delivery.actor) ?? 0) > 1;
  return actorMessage({ delivery, route, topologyHash, severalRoutes, nowMs }, objects);
}

/** Where the record of an hour lies in the stage's bucket: `events/2026-11-23/14/`. */
export function historyFolder(atMs: number): string {
  const iso = new Date(atMs).toISOString();
  return `events/${iso.slice(0, 10)}/${iso.slice(11, 13)}/`;
}

/**
 * Records what a batch routed, as one object of JSON lines in the hour of its routing; what is
 * listed by key is in order. Resolves when it is durable.
 */
export async function recordHistory(
  objects: Pick<ObjectStore, "put">,
  lines: readonly RecordedLine[],
  nowMs: number,
): Promise<void> {
  if (lines.length === 0) return;
  const time = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, "");
  const key = `${historyFolder(nowMs)}${time}-${randomBytes(6).toString("hex")}.jsonl`;
  await objects.put(key, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}
