/** What the functions do with a batch, whatever hands it over: for drivers that are not Lambda. */
export { type DeliverBatchOptions, deliverBatch } from "./deliver-batch.ts";
export { eventPublisher } from "./event-publisher.ts";
export type { FlowLog } from "./flow-log.ts";
export { deliveryInbox } from "./inbox/delivery-inbox.ts";
export { drainInbox } from "./inbox/drain-inbox.ts";
export { expireInboxes } from "./inbox/expire-inboxes.ts";
export { queueBound } from "./queue-bound.ts";
export { type RouteBatchOptions, routeBatch } from "./route-batch.ts";
export { routeTopology } from "./route-topology.ts";
export type { Secrets } from "./secrets.ts";
