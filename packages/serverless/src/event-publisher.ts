import { busMessage, type ObjectStore, type SqsSender } from "@orgloop/bus/sqs";
import { eventDedupId, messageGroup } from "@orgloop/config/aws";
import { completeEvent, emitEntry } from "@orgloop/core";
import { randomHex } from "@orgloop/host";
import type { EventDraft, OrgLoopEvent } from "@orgloop/sdk";
import type { FlowLog } from "./flow-log.ts";

export interface EventPublisherOptions {
  readonly sender: SqsSender;
  readonly busUrl: string;
  readonly objects: ObjectStore;
  readonly project: string;
  readonly now: () => number;
  readonly flow: FlowLog;
}

/**
 * Where events of a source enter: completed, then on the bus. Resolves when SQS has them all; otherwise rejects, and any of them may be
 * there: the same drafts make the same ids again where the source gives them an identity.
 */
export type PublishDrafts = (
  source: string,
  drafts: readonly EventDraft[],
) => Promise<readonly OrgLoopEvent[]>;

export function eventPublisher(options: EventPublisherOptions): PublishDrafts {
  const { sender, busUrl, objects, project: module, now, flow } = options;
  return async (source, drafts) => {
    const nowMs = now();
    const events = drafts.map((draft) =>
      completeEvent(draft, { source, module, nowMs, randomHex }),
    );
    const keys = { messageGroup, eventDedupId };
    const messages = await Promise.all(events.map((event) => busMessage(event, keys, objects)));
    await sender.sendAll(busUrl, messages);
    for (const event of events) flow.log(emitEntry(event));
    flow.count("published", events.length);
    return events;
  };
}
