import type { Delivery } from "@orgloop/engine";
import { messageOf } from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";
import type { ReceivedMessage } from "../queue/received-message.ts";
import type { FifoMessage } from "../queue/sqs-sender.ts";
import type { RefusingQueue } from "../state/refusing-queues.ts";

/** What becomes of the messages of a batch, as they are sent on. */
export interface SentBatch {
  /** The queues that refuse, as of before the batch. */
  readonly refusing: ReadonlyMap<string, RefusingQueue>;
  /** What has to come again. */
  readonly failed: Set<ReceivedMessage>;
  /** The routes on which each is done with, also of those that have to come again. */
  readonly accepted: Map<ReceivedMessage, string[]>;
}

/** A delivery, and the message that it is sent as. */
export interface Sending {
  readonly record: ReceivedMessage;
  readonly delivery: Delivery;
  readonly message: FifoMessage;
}

/** Its event comes again. */
export function fail(
  { record, delivery }: Pick<Sending, "record" | "delivery">,
  error: unknown,
  { failed }: SentBatch,
  { flow }: { readonly flow: FlowLog },
): void {
  failed.add(record);
  const { event, actor: target, route } = delivery;
  const { id: event_id, trace_id, source } = event;
  const about = { event_id, trace_id, source, route, target };
  flow.log({ ...about, phase: "system.error", error: messageOf(error) });
}

/** The event is done with on its route. */
export function accept({ record, delivery }: Sending, { accepted }: SentBatch): void {
  accepted.set(record, [...(accepted.get(record) ?? []), delivery.route]);
}
