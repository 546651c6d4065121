import {
  ANY_BODY,
  bodyHash,
  completeEvent,
  emitEntry,
  randomHex,
  unfitLetter,
} from "@orgloop/engine";
import type { CheckEvent } from "@orgloop/engine/event-schemas";
import type { DeadLetter, EventDraft, OrgLoopEvent } from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";
import { eventDedupId, messageGroup } from "../plan/message-keys.ts";
import { busMessage, type Publication } from "../queue/bus-message.ts";
import type { ObjectStore } from "../queue/message-body.ts";
import type { SqsSender } from "../queue/sqs-sender.ts";
import type { KeyOf } from "./grouped-sources.ts";

export interface EventPublisherOptions {
  readonly sender: Pick<SqsSender, "sendAll">;
  readonly busUrl: string;
  readonly objects: ObjectStore;
  readonly project: string;
  readonly now: () => number;
  readonly flow: FlowLog;
  /** Absent: no source has a schema. */
  readonly checkEvent?: CheckEvent | undefined;
  /** How the events of a source are grouped now. Default: each source is one group. */
  readonly keyOf?: ((source: string) => Promise<KeyOf>) | undefined;
  readonly writeDeadLetter: (letter: DeadLetter) => Promise<void>;
}

/** What became of drafts. */
export interface PublishedDrafts {
  /** Each in its place. */
  readonly events: readonly OrgLoopEvent[];
  /** Ids of those that do not fit the schema of their source: dead letters by now. */
  readonly unfit: readonly string[];
}

/**
 * Where events of a source enter: completed, then on the bus. Resolves when SQS has them all, and
 * the table those that do not fit; otherwise rejects, and any of them may be there: the same drafts
 * make the same ids again where the source gives them an identity.
 */
export type PublishDrafts = (
  source: string,
  drafts: readonly EventDraft[],
  by: "poll" | "receive",
) => Promise<PublishedDrafts>;

export function eventPublisher(options: EventPublisherOptions): PublishDrafts {
  const {
    sender,
    busUrl,
    objects,
    project: module,
    now,
    flow,
    checkEvent,
    writeDeadLetter,
  } = options;
  return async (source, drafts, by) => {
    const nowMs = now();
    const events = drafts.map((draft) =>
      completeEvent(draft, { source, module, nowMs, randomHex }),
    );
    const unfit = new Set<OrgLoopEvent>();
    const letters = events.flatMap((event) => {
      const error = checkEvent?.(event) ?? null;
      if (error === null) return [];
      unfit.add(event);
      return unfitLetter(event, error, nowMs);
    });
    await Promise.all(letters.map(writeDeadLetter));
    const fit = [...events.entries()].filter(([, event]) => !unfit.has(event));
    const keyOf = await options.keyOf?.(source);
    const keys = { messageGroup, eventDedupId, ...(keyOf && { keyOf }) };
    const messages = await Promise.all(
      fit.map(([at, event]) =>
        busMessage(event, keys, objects, firstPublication(drafts[at] as EventDraft, by, nowMs)),
      ),
    );
    await sender.sendAll(busUrl, messages);
    for (const [, event] of fit) flow.log(emitEntry(event));
    flow.count("published", fit.length);
    return { events, unfit: Array.from(unfit, ({ id }) => id) };
  };
}

function firstPublication(
  { identity, payload }: EventDraft,
  by: "poll" | "receive",
  at_ms: number,
): Publication {
  const publication = { id: `${randomHex()}${randomHex()}`, kind: "first", at_ms } as const;
  if (identity === undefined) return publication;
  return { ...publication, body: by === "poll" ? ANY_BODY : bodyHash(payload) };
}
