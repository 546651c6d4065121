import { ANY_BODY, bodyHash, completeEvent, emitEntry, randomHex } from "@orgloop/engine";
import type { EventDraft, OrgLoopEvent } from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";
import { eventDedupId, messageGroup } from "../plan/message-keys.ts";
import { busMessage, type Publication } from "../queue/bus-message.ts";
import type { ObjectStore } from "../queue/object-store.ts";
import type { SqsSender } from "../queue/sqs-sender.ts";

export interface EventPublisherOptions {
  readonly sender: Pick<SqsSender, "sendAll">;
  readonly busUrl: string;
  readonly objects: ObjectStore;
  readonly project: string;
  readonly now: () => number;
  readonly flow: FlowLog;
}

/**
 * Where events of a source enter: completed, then on the bus. Resolves when SQS has them all;
 * otherwise rejects, and any of them may be there: the same drafts make the same ids again where
 * the source gives them an identity.
 */
export type PublishDrafts = (
  source: string,
  drafts: readonly EventDraft[],
  by: "poll" | "receive",
) => Promise<readonly OrgLoopEvent[]>;

export function eventPublisher(options: EventPublisherOptions): PublishDrafts {
  const { sender, busUrl, objects, project: module, now, flow } = options;
  return async (source, drafts, by) => {
    const nowMs = now();
    const events = drafts.map((draft) =>
      completeEvent(draft, { source, module, nowMs, randomHex }),
    );
    const keys = { messageGroup, eventDedupId };
    const messages = await Promise.all(
      events.map((event, at) =>
        busMessage(event, keys, objects, firstPublication(drafts[at] as EventDraft, by)),
      ),
    );
    await sender.sendAll(busUrl, messages);
    for (const event of events) flow.log(emitEntry(event));
    flow.count("published", events.length);
    return events;
  };
}

function firstPublication({ identity, payload }: EventDraft, by: "poll" | "receive"): Publication {
  const id = `${randomHex()}${randomHex()}`;
  if (identity === undefined) return { id, kind: "first" };
  return { id, kind: "first", body: by === "poll" ? ANY_BODY : bodyHash(payload) };
}
