export { type BusGrouping, busGrouping, routesBySource } from "@orgloop/engine";
export {
  type AlarmMetric,
  alarmDescription,
  type CompositeAlarm,
  type MetricAlarm,
  RUNBOOK,
} from "./alarms/alarm.ts";
export { type AlarmPlan, alarmPlan } from "./alarms/alarm-plan.ts";
export { alarmed } from "./alarms/alarmed.ts";
export { type AwsNames, awsNames, stageName } from "./aws-names.ts";
export {
  type Bulkheads,
  bulkheadRefusal,
  bulkheads,
  HISTORIANS,
} from "./bulkheads.ts";
export {
  COST_ASSUMPTIONS,
  type CostAssumptions,
  type CostLine,
  type StageCost,
  stageCost,
} from "./cost-model.ts";
export {
  type DeliveryConcurrency,
  deliveryConcurrency,
  FIFO_BATCH,
} from "./delivery-concurrency.ts";
export {
  awaitedActors,
  awaitedDeliverer,
  delivererGroups,
  type Group,
  inboxActors,
  pollerGroups,
  pollerOf,
} from "./groups.ts";
export { type Ingress, ingressLimit, ingressOf } from "./ingress-of.ts";
export {
  MAX_RESOURCES,
  newLayout,
  type StageLayout,
  type StagePart,
  stacksOf,
} from "./layout.ts";
export {
  type DeliveryIdentity,
  deliveryDedupId,
  deliveryGroup,
  eventDedupId,
  messageGroup,
  sha256,
} from "./message-keys.ts";
export { METRIC_DIMENSION, METRIC_NAMESPACE, METRICS } from "./metric-names.ts";
export { PRICES, PRICES_READ, type Price, type PriceName } from "./prices.ts";
export { QUOTAS, type Quota, type QuotaFinding, quotaFindings } from "./quotas.ts";
export { readIntakes } from "./read-intakes.ts";
export { shardOf, usedShards } from "./shards.ts";
export {
  type Intake,
  ROUTER_CONCURRENCY,
  type StageSize,
  stageSize,
} from "./stage-size.ts";
