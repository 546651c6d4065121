import { OrgLoopError, type OrgLoopEvent } from "@orgloop/sdk";
import { unwrapBody, wrapBody } from "./message-body.ts";
import type { FifoMessage } from "./next-batch.ts";
import type { ObjectStore } from "./object-store.ts";

/** The stage's rules of naming (`@orgloop/config/aws`). */
export interface BusKeys {
  readonly messageGroup: (source: string) => string;
  readonly eventDedupId: (event: OrgLoopEvent) => string;
}

/** An event as it stands on the bus. */
export async function busMessage(
  event: OrgLoopEvent,
  { messageGroup, eventDedupId }: BusKeys,
  objects: ObjectStore,
): Promise<FifoMessage> {
  const body = await wrapBody({ event }, objects, event.id);
  return { body, group: messageGroup(event.source), dedupId: eventDedupId(event) };
}

/** The event of a message's body. Throws `MESSAGE_UNREADABLE` where it has none; what reading its object throws may pass. */
export async function readBusMessage(
  body: string,
  objects: Pick<ObjectStore, "get">,
): Promise<OrgLoopEvent> {
  const { event } = await unwrapBody(body, objects);
  const { id, source } = (event ?? {}) as { id?: unknown; source?: unknown };
  if (typeof id === "string" && typeof source === "string") return event as OrgLoopEvent;
  throw new OrgLoopError("MESSAGE_UNREADABLE", "a message on the bus holds no event");
}
