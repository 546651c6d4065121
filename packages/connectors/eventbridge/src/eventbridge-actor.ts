import {
  EventBridgeClient,
  PutEventsCommand,
  type PutEventsResultEntry,
} from "@aws-sdk/client-eventbridge";
import { type Actor, messageOf, OrgLoopError, PermanentError } from "@orgloop/sdk";
import type { EventBridgeActorConfig } from "./config.ts";
import { eventEntry } from "./event-entry.ts";

/**
 * What EventBridge says of an entry that it will never take (API reference, PutEventsResultEntry).
 */
const PERMANENT = new Set(["InvalidArgument", "InvalidJson", "MalformedDetail"]);

/**
 * An actor that puts each event on an EventBridge event bus, for rules and pipes to go on from
 * there.
 */
export function eventBridgeActor(config: EventBridgeActorConfig): Actor {
  // The route's policy says how often; the library's own attempts would hide that.
  const client = new EventBridgeClient({
    maxAttempts: 1,
    ...(config.region !== undefined && { region: config.region }),
  });
  return {
    async deliver(event, context) {
      const entry = eventEntry(event, context, config);
      const command = new PutEventsCommand({ Entries: [entry] });
      const { Entries: [result] = [] } = await client
        .send(command, { abortSignal: context.signal })
        .catch((cause) => {
          const message = `PutEvents to ${config.event_bus}: ${messageOf(cause)}`;
          throw new OrgLoopError("ACTOR_FAILED", message, { cause });
        });
      judge(result, config.event_bus);
      return { status: "delivered" };
    },
    close: async () => client.destroy(),
  };
}

/** A call can succeed though its entry has failed; only an id says that the event was taken. */
function judge(result: PutEventsResultEntry | undefined, bus: string): void {
  if (result?.ErrorCode === undefined) {
    if (result?.EventId) return;
    throw new OrgLoopError("ACTOR_FAILED", `${bus} answered without saying that it took the event`);
  }
  const message = `${bus} did not take the event: ${result.ErrorCode} ${result.ErrorMessage ?? ""}`;
  if (PERMANENT.has(result.ErrorCode)) throw new PermanentError(message);
  throw new OrgLoopError("ACTOR_FAILED", message);
}
