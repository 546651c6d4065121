export { type AwsNames, awsNames, stageName } from "./aws-names.ts";
export {
  type DeliveryIdentity,
  deliveryDedupId,
  deliveryGroup,
  eventDedupId,
  messageGroup,
} from "./message-keys.ts";
export { METRIC_DIMENSION, METRIC_NAMESPACE, METRICS } from "./metric-names.ts";
export { shardOf } from "./shards.ts";
export { sha256 } from "./slug.ts";
