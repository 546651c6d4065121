import type { Clock, Delivery } from "@orgloop/engine";
import { messageOf, type RouteSpec } from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";
import { actorMessage } from "../queue/actor-message.ts";
import type { ObjectStore } from "../queue/message-body.ts";
import { refusalOf } from "../queue/queue-refusal.ts";
import type { ReceivedMessage } from "../queue/received-message.ts";
import type { FifoMessage, SqsSender } from "../queue/sqs-sender.ts";
import { parksAtOnce } from "../state/refusing-queues.ts";
import { type HistoryLine, historyMessages } from "./event-history.ts";
import { type ParkingHost, parkRefused, type Refused } from "./park-refused.ts";
import type { RoutedMessage } from "./route-message.ts";
import { accept, fail, type Sending, type SentBatch } from "./sent-batch.ts";

/** What has become of a message of the bus. */
export interface Routed extends RoutedMessage {
  readonly record: ReceivedMessage;
}

export interface SendRoutedOptions extends ParkingHost {
  readonly routes: ReadonlyMap<string, RouteSpec>;
  /** Of each actor, how many routes lead to it. */
  readonly routesTo: ReadonlyMap<string, number>;
  readonly topologyHash: string;
  readonly sender: Pick<SqsSender, "sendEach">;
  readonly queueUrlOf: (actor: string) => string;
  readonly historyUrl: string;
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly flow: FlowLog;
}

/**
 * Sends what was matched, queue by queue in the order of the batch, and the batch's lines to the
 * history's queue. What a queue takes never becomes a dead letter, `refused`, and is sent when it
 * does; what it does not take now makes its event fail.
 */
export async function sendRouted(
  routed: readonly Routed[],
  batch: SentBatch,
  options: SendRoutedOptions,
): Promise<void> {
  const nowMs = options.clock.now();
  const pairs = routed.flatMap(({ record, deliveries }) =>
    deliveries.map((delivery) => ({ record, delivery })),
  );
  const byActor = Map.groupBy(pairs, ({ delivery }) => delivery.actor);
  await Promise.all([
    sendHistory(routed, batch, options),
    ...Array.from(byActor, async ([actor, queue]) => {
      const made = await Promise.all(
        queue.map((one) =>
          queueMessage(one.delivery, nowMs, options).then(
            (message): Sending => ({ ...one, message }),
            (error) => fail(one, error, batch, options),
          ),
        ),
      );
      const sending = made.filter((one) => one !== undefined);
      await sendToActor(actor, sending, batch, options);
    }),
  ]);
}

async function sendToActor(
  actor: string,
  sending: readonly Sending[],
  batch: SentBatch,
  options: SendRoutedOptions,
): Promise<void> {
  const queue = batch.refusing.get(actor);
  const waits = ({ message }: Sending) => parksAtOnce(queue, message.group);
  const untried = sending.filter(waits).map((one): Refused => ({ ...one, refusal: null }));
  const refused = await trySending(
    actor,
    sending.filter((one) => !waits(one)),
    batch,
    options,
  );
  const parking = [...untried, ...refused];
  if (parking.length > 0) await parkRefused(actor, parking, batch, options);
}

/** Gives those that the queue takes never. */
async function trySending(
  actor: string,
  sending: readonly Sending[],
  batch: SentBatch,
  options: SendRoutedOptions,
): Promise<readonly Refused[]> {
  const { sender, queueUrlOf, flow } = options;
  const refused: Refused[] = [];
  for (let waiting = sending; waiting.length > 0; ) {
    const messages = waiting.map(({ message }) => message);
    const outcomes = await sender.sendEach(queueUrlOf(actor), messages);
    const behind: Sending[] = [];
    const met = new Set<Error>();
    for (const [at, one] of waiting.entries()) {
      const error = outcomes[at] ?? null;
      if (error === null) {
        flow.count("matched");
        accept(one, batch);
        continue;
      }
      const kind = refusalOf(error);
      if (kind === null) fail(one, error, batch, options);
      // What stood behind such a message in its group was not sent.
      else if (kind === "message" && met.has(error)) behind.push(one);
      else refused.push({ ...one, refusal: { kind, error } });
      met.add(error);
    }
    waiting = behind;
  }
  return refused;
}

async function sendHistory(
  routed: readonly Routed[],
  { failed }: SentBatch,
  { sender, historyUrl, flow }: SendRoutedOptions,
): Promise<void> {
  const recorded = routed.filter((one): one is Routed & { line: HistoryLine } => one.line !== null);
  if (recorded.length === 0) return;
  const messages = historyMessages(recorded.map(({ line }) => line));
  const bodies = messages.map(({ body }) => ({ body }));
  const outcomes = await sender.sendEach(historyUrl, bodies);
  for (const [at, error] of outcomes.entries()) {
    if (error === null) continue;
    flow.log({ phase: "system.error", target: "history", error: messageOf(error) });
    for (const line of messages[at]?.lines ?? []) failed.add((recorded[line] as Routed).record);
  }
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
