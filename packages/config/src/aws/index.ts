export { type AwsNames, awsNames, stageName } from "./aws-names.ts";
export {
  type DeliveryIdentity,
  deliveryDedupId,
  deliveryGroup,
  eventDedupId,
  messageGroup,
} from "./message-keys.ts";
export { shardOf } from "./shards.ts";
