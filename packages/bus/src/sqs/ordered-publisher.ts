import type { OrgLoopEvent } from "@orgloop/sdk";
import { type BusKeys, busMessage } from "./bus-message.ts";
import type { ObjectStore } from "./object-store.ts";
import type { SqsSender } from "./sqs-sender.ts";

export interface OrderedPublisherOptions extends BusKeys {
  readonly sender: SqsSender;
  readonly queueUrl: string;
  readonly objects: ObjectStore;
}

export interface OrderedPublisher {
  /** Sends behind everything that was given before; resolves when all are in the queue. */
  publish(events: readonly OrgLoopEvent[]): Promise<void>;
  /** Resolves when all that was given before is in the queue, or was refused. */
  drained(): Promise<void>;
}

interface Waiting {
  readonly events: readonly OrgLoopEvent[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Sends in the order of the calls, also of calls at the same time; what waits meanwhile shares the next calls. */
export function orderedPublisher(options: OrderedPublisherOptions): OrderedPublisher {
  const { sender, queueUrl, objects } = options;
  let waiting: Waiting[] = [];
  let sending: Promise<void> | null = null;

  async function sendWaiting(): Promise<void> {
    while (waiting.length > 0) {
      const round = waiting;
      waiting = [];
      try {
        const events = round.flatMap((each) => each.events);
        const messages = await Promise.all(
          events.map((event) => busMessage(event, options, objects)),
        );
        const outcomes = await sender.sendEach(queueUrl, messages);
        let from = 0;
        for (const { events, resolve, reject } of round) {
          const error = outcomes.slice(from, from + events.length).find((each) => each !== null);
          from += events.length;
          if (error) reject(error);
          else resolve();
        }
      } catch (error) {
        for (const { reject } of round) reject(error);
      }
    }
    sending = null;
  }

  return {
    publish(events) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.push({ events, resolve, reject });
      sending ??= sendWaiting();
      return promise;
    },
    async drained() {
      await sending;
    },
  };
}
