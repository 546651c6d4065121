import type { PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import { type DeliveryContext, type OrgLoopEvent, PermanentError } from "@orgloop/sdk";
import type { EventBridgeActorConfig } from "./config.ts";

/**
 * Bytes of an entry; it must be less (EventBridge user guide, Calculating PutEvents event entry
 * size).
 */
const ENTRY_LIMIT = 256 * 1024;
const DETAIL_TYPE_LIMIT = 128;
const TIME_BYTES = 14;

/**
 * What is put on the event bus: the event in `detail.event`, with the delivery beside it, so that a
 * consumer can drop what it has seen by `detail.delivery.id`. `detail_type` of the route's config
 * goes before the actor's. Throws {@link PermanentError} where it is too long.
 */
export function eventEntry(
  event: OrgLoopEvent,
  { route, config, prompt, attempt, replay, deliveryId = event.id }: DeliveryContext,
  { event_bus, source, detail_type, resources }: EventBridgeActorConfig,
): PutEventsRequestEntry {
  const { detail_type: ofRoute } = config;
  const detailType =
    (typeof ofRoute === "string" && ofRoute !== "" ? ofRoute : detail_type) ??
    event.provenance.platform_event ??
    event.type;
  const detail = {
    event,
    delivery: { id: deliveryId, route, attempt, replay },
    config,
    ...(prompt && { launch_prompt: prompt.text }),
  };
  const entry = {
    EventBusName: event_bus,
    Source: source,
    DetailType: detailType.slice(0, DETAIL_TYPE_LIMIT),
    Time: new Date(event.timestamp),
    Detail: JSON.stringify(detail),
    ...(resources && { Resources: [...resources] }),
  };
  const size = [entry.Source, entry.DetailType, entry.Detail, ...(resources ?? [])].reduce(
    (sum, text) => sum + Buffer.byteLength(text),
    TIME_BYTES,
  );
  if (size < ENTRY_LIMIT) return entry;
  throw new PermanentError(
    `the event makes an entry of ${size} bytes; EventBridge takes less than ${ENTRY_LIMIT}: a transform can make it smaller`,
  );
}
