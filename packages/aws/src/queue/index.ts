export {
  type BusKeys,
  type BusMessage,
  busMessage,
  type Publication,
  readBusMessage,
  readPublication,
} from "./bus-message.ts";
export { hideInOrder, MAX_HIDDEN_SECONDS } from "./hide-in-order.ts";
export { type ObjectStore, objectStore, unwrapBody, wrapBody } from "./message-body.ts";
export {
  type FifoMessage,
  type QueueMessage,
  type SqsSender,
  type SqsSenderOptions,
  sqsSender,
} from "./sqs-sender.ts";
