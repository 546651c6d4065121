/** What the functions do with a batch, whatever hands it over: for drivers that are not Lambda. */

export { type DeliverBatchOptions, deliverBatch } from "../delivery/deliver-batch.ts";
export { writeDeadLetter } from "../delivery/write-dead-letter.ts";
export type { FlowLog } from "../functions/flow-log.ts";
export type { Secrets } from "../functions/secrets.ts";
export { deliveryInbox } from "../inbox/delivery-inbox.ts";
export { drainInbox } from "../inbox/drain-inbox.ts";
export { expireInboxes } from "../inbox/expire-inboxes.ts";
export { eventPublisher } from "../intake/event-publisher.ts";
export { writeHistory } from "../routing/event-history.ts";
export { type RouteBatchOptions, routeBatch } from "../routing/route-batch.ts";
export { routeTopology } from "../routing/route-topology.ts";
export { queueBound } from "./queue-bound.ts";
