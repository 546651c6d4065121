import { setTimeout as wait } from "node:timers/promises";
import {
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { hasCode, OrgLoopError, type OrgLoopEvent, type SettlingEventBus } from "@orgloop/sdk";
import { createDispatch, type Held } from "../dispatch.ts";
import { type BusKeys, readBusMessage } from "./bus-message.ts";
import { hideInOrder } from "./hide-in-order.ts";
import type { ObjectStore } from "./object-store.ts";
import { orderedPublisher } from "./ordered-publisher.ts";
import { type SettledRoutes, settledInObjects } from "./settled-routes.ts";
import { sqsSender } from "./sqs-sender.ts";

export interface SqsBusOptions extends BusKeys {
  readonly sqs: SQSClient;
  /** A FIFO queue. */
  readonly queueUrl: string;
  readonly objects: ObjectStore;
  /** Default: objects. */
  readonly settledRoutes?: SettledRoutes;
  /** After how long what this process holds comes to another once it died; it is renewed three times as often. Default 60. */
  readonly visibilitySeconds?: number;
  /** How long one call waits for messages; at most 20, the default. */
  readonly waitSeconds?: number;
  /** Told of what goes wrong in the background, and is tried again. */
  readonly onError?: (error: unknown) => void;
}

/** A message that this process received and has not acked. */
interface HeldMessage extends Held {
  readonly settled: Set<string>;
  readonly dedupId: string;
  readonly group: string;
  /** By message id: an event can stand in the queue twice, 5 minutes apart. */
  readonly receiptHandles: Map<string, string>;
  saved: Promise<void>;
}

const RETRY_MS = 1_000;
/** For how many acked messages it is remembered that they are. */
const REMEMBERED = 10_000;

/**
 * The bus on SQS FIFO for a process that takes part in a stage (Lambda functions get their messages from AWS). Receives while it has
 * subscriptions. What it holds stays hidden until acked, head before followers; `close` gives it back. The queue's redrive policy takes
 * what comes too often.
 */
export function sqsBus(options: SqsBusOptions): SettlingEventBus {
  const { sqs, queueUrl, objects, eventDedupId } = options;
  const { visibilitySeconds = 60, waitSeconds = 20, onError = () => undefined } = options;
  const { settledRoutes = settledInObjects(objects) } = options;
  const publisher = orderedPublisher({ ...options, sender: sqsSender({ sqs }) });
  const dispatch = createDispatch();
  const held = new Map<string, HeldMessage>();
  const acked = new Set<string>();
  const stop = new AbortController();
  let subscriptions = 0;
  let receiving: Promise<void> | null = null;
  let closing: Promise<void> | null = null;
  let renewing: Promise<void> | null = null;
  const heartbeat = setInterval(
    () => {
      renewing ??= hideAll(visibilitySeconds).finally(() => {
        renewing = null;
      });
    },
    (visibilitySeconds * 1_000) / 3,
  );

  const refuseClosed = () => {
    if (closing === null) return;
    throw new OrgLoopError("BUS_CLOSED", "the bus is closed: it takes nothing more");
  };

  async function hideAll(seconds: number): Promise<void> {
    const groups = Map.groupBy(held.values(), ({ group }) => group);
    await Promise.all(
      Array.from(groups.values(), (members) => {
        const handles = members.flatMap(({ receiptHandles }) => [...receiptHandles.values()]);
        return hideInOrder(options, handles, seconds).catch(onError);
      }),
    );
  }

  async function receive(): Promise<void> {
    while (subscriptions > 0 && !stop.signal.aborted) {
      try {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({
            QueueUrl: queueUrl,
            MaxNumberOfMessages: 10,
            WaitTimeSeconds: waitSeconds,
            VisibilityTimeout: visibilitySeconds,
            MessageSystemAttributeNames: ["ApproximateReceiveCount", "MessageGroupId"],
          }),
          { abortSignal: stop.signal },
        );
        await takeIn(Messages);
      } catch (error) {
        if (stop.signal.aborted) break;
        onError(error);
        await wait(RETRY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    }
    receiving = null;
  }

  /** Takes in what can be read. What cannot be read now comes again, with all behind it; what never can is the redrive policy's. */
  async function takeIn(messages: readonly Message[]): Promise<void> {
    const groups = Map.groupBy(messages, (message) => message.Attributes?.MessageGroupId ?? "");
    for (const [group, members] of groups) {
      const read = await Promise.allSettled(members.map(readMessage));
      for (const [at, outcome] of read.entries()) {
        if (outcome.status === "fulfilled") {
          hold(members[at] as Message, group, outcome.value);
          continue;
        }
        onError(outcome.reason);
        if (hasCode(outcome.reason, "MESSAGE_UNREADABLE")) continue;
        const handles = members.slice(at).map(({ ReceiptHandle = "" }) => ReceiptHandle);
        await hideInOrder(options, handles, RETRY_MS / 1_000);
        break;
      }
    }
  }

  async function readMessage({ Body = "", Attributes }: Message) {
    const event = await readBusMessage(Body, objects);
    const dedupId = eventDedupId(event);
    const received = Number(Attributes?.ApproximateReceiveCount ?? 1);
    // Who receives a message for the first time has settled nothing of it.
    const settled = received > 1 ? await settledRoutes.load(dedupId) : [];
    return { event, dedupId, returns: received - 1, settled: new Set(settled) };
  }

  function hold(
    { MessageId = "", ReceiptHandle = "" }: Message,
    group: string,
    read: Awaited<ReturnType<typeof readMessage>>,
  ): void {
    if (acked.has(MessageId)) {
      void remove(ReceiptHandle).catch(onError);
      return;
    }
    const known = held.get(read.event.id);
    if (known !== undefined) {
      known.receiptHandles.set(MessageId, ReceiptHandle);
      return;
    }
    const receiptHandles = new Map([[MessageId, ReceiptHandle]]);
    const message = { ...read, group, receiptHandles, acked: false, saved: Promise.resolve() };
    held.set(read.event.id, message);
    dispatch.add(message);
  }

  async function remove(ReceiptHandle: string): Promise<void> {
    await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
  }

  async function publishAll(events: readonly OrgLoopEvent[]): Promise<void> {
    refuseClosed();
    await publisher.publish(events);
  }

  async function close(): Promise<void> {
    stop.abort();
    await Promise.all([dispatch.close(), publisher.drained(), receiving]);
    clearInterval(heartbeat);
    await renewing;
    await hideAll(1);
    held.clear();
  }

  return {
    capabilities: { durable: true, unacked: "process", locksSource: true },
    publish: (event) => publishAll([event]),
    publishAll,
    subscribe(filter, handler) {
      refuseClosed();
      const subscription = dispatch.subscribe(filter, handler, held.values());
      let ended = false;
      subscriptions += 1;
      receiving ??= receive();
      return {
        unsubscribe() {
          if (!ended) subscriptions -= 1;
          ended = true;
          return subscription.unsubscribe();
        },
      };
    },
    async ack(eventId) {
      const message = held.get(eventId);
      if (message === undefined) return;
      held.delete(eventId);
      dispatch.remove(message);
      for (const [messageId, handle] of message.receiptHandles) {
        acked.add(messageId);
        await remove(handle);
      }
      for (const messageId of acked) {
        if (acked.size <= REMEMBERED) break;
        acked.delete(messageId);
      }
    },
    async settle(eventId, route) {
      const message = held.get(eventId);
      if (message === undefined) return;
      message.settled.add(route);
      const save = () => settledRoutes.save(message.dedupId, message.settled);
      message.saved = message.saved.then(save, save);
      await message.saved;
    },
    async unacked() {
      return Array.from(held.values(), ({ event }) => event);
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}
