import { type Clock, illListsOf, pollSource } from "@orgloop/engine";
import {
  hasCode,
  type IllList,
  isPartialPoll,
  isRetryAfter,
  messageOf,
  OrgLoopError,
  type Source,
} from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";
import type { LeasedCheckpoints } from "../state/leased-checkpoints.ts";
import type { PublishDrafts } from "./event-publisher.ts";

export interface PollOptions {
  readonly openSource: (id: string) => Promise<Source>;
  readonly leases: LeasedCheckpoints;
  readonly publish: PublishDrafts;
  readonly clock: Clock;
  readonly flow: FlowLog;
}

export interface Tick {
  readonly source: string;
  /** Of this invocation alone. */
  readonly owner: string;
  readonly remainingMs: number;
}

/**
 * The lease ends this long after the function is killed: until then nobody else moves the
 * checkpoint.
 */
const LEASE_MARGIN_MS = 5_000;
/** What is left for the last page, and to give the lease back. */
const DEADLINE_MARGIN_MS = 15_000;

/**
 * One poll of a source, page by page: each page is on the bus before its checkpoint moves, under a
 * lease that outlasts the function. A source that another invocation holds, or that asked to be
 * left alone (Retry-After), is left: the next tick comes.
 */
export async function pollTick(
  { source: id, owner, remainingMs }: Tick,
  { openSource, leases, publish, clock, flow }: PollOptions,
): Promise<void> {
  const lease = await leases.acquire(id, owner, remainingMs + LEASE_MARGIN_MS);
  if (lease === null) return;
  if (lease.unended > 0) {
    const error = "the poll before did not end: its function was killed, or ran out of time";
    flow.log({ phase: "source.error", source: id, error });
    flow.count("pollErrors");
  }
  let events = 0;
  let illLists: readonly IllList[] = [];
  try {
    const source = await openSource(id);
    if (!polls(source))
      throw new OrgLoopError("NOT_POLLED", `${id} is sent its events, not polled`);
    const { result } = await pollSource({
      id,
      source,
      checkpoints: {
        get: async () => lease.get(),
        async set(_, checkpoint) {
          await lease.set(checkpoint, { events });
          events = 0;
        },
      },
      async keep(drafts) {
        events += (await publish(id, drafts, "poll")).events.length;
      },
      clock,
      deadlineMs: Math.max(remainingMs / 2, remainingMs - DEADLINE_MARGIN_MS),
      stop: new AbortController().signal,
    });
    illLists = illListsOf(source, lease.get());
    if (result.kind === "failed" && !isPartialPoll(result.error)) throw result.error;
    if (result.kind === "failed") {
      flow.log({ phase: "source.error", source: id, error: messageOf(result.error) });
    }
    await lease.release({ failed: false, events, illLists });
  } catch (error) {
    flow.log({ phase: "source.error", source: id, error: messageOf(error) });
    flow.count("pollErrors");
    if (hasCode(error, "LEASE_LOST")) return;
    const notBeforeMs = isRetryAfter(error) ? clock.now() + error.retryAfterMs : undefined;
    await lease.release({
      failed: true,
      events,
      illLists,
      ...(notBeforeMs !== undefined && { notBeforeMs }),
    });
  }
}

function polls(source: Source): source is Source & Required<Pick<Source, "poll">> {
  return source.poll !== undefined;
}
