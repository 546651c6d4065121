import {
  checkDrafts,
  type EventDraft,
  formatDuration,
  OrgLoopError,
  type Source,
  type WebhookRequest,
} from "@orgloop/sdk";
import type { Timers } from "../ports/clock.ts";

/** A source that never answers must not keep the connections of the others. */
const LONGEST_MS = 60_000;

/**
 * What a source makes of a request. Throws what it throws, `TIMEOUT` where it does not answer
 * within `longestMs` (default: a minute), and `INVALID_ANSWER` for what are no events.
 */
export async function receiveDrafts(
  source: Required<Pick<Source, "receive">>,
  request: WebhookRequest,
  timers: Timers,
  longestMs = LONGEST_MS,
): Promise<readonly EventDraft[]> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = timers.setTimeout(() => {
    const message = `the source gave no answer within ${formatDuration(longestMs)}`;
    reject(new OrgLoopError("TIMEOUT", message));
  }, longestMs);
  try {
    const drafts = await Promise.race([source.receive(request), promise]);
    const wrong = checkDrafts(drafts);
    if (wrong === null) return drafts;
    throw new OrgLoopError("INVALID_ANSWER", `the source made no events of it: ${wrong}`);
  } finally {
    timers.clearTimeout(timer);
  }
}
