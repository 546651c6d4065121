import {
  type CheckpointStore,
  checkDrafts,
  type EventDraft,
  formatDuration,
  type IllList,
  isMapping,
  OrgLoopError,
  type Source,
  type SourcePage,
} from "@orgloop/sdk";
import { type Clock, callAt } from "../ports/clock.ts";

export interface PollSourceOptions {
  readonly id: string;
  readonly source: Source & Required<Pick<Source, "poll">>;
  readonly checkpoints: Pick<CheckpointStore, "get" | "set">;
  /**
   * Puts a page's events on the bus: resolves when they are durable. It may wait for room until
   * `patience` is aborted.
   */
  readonly keep: (drafts: readonly EventDraft[], patience: AbortSignal) => Promise<unknown>;
  readonly clock: Clock;
  /** How long one poll may take. */
  readonly deadlineMs: number;
  /** Aborted on drain. */
  readonly stop: AbortSignal;
  readonly onCheckpoint?: (checkpoint: string) => void;
}
/** Who failed: the source, or the host that could not keep what the source gave. */
export type PollResult =
  | { readonly kind: "done" }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly by: "source" | "host"; readonly error: unknown };

/** A poll that has ended for the host; `released` resolves when the source has let go of it too. */
export interface Poll {
  readonly result: PollResult;
  readonly released: Promise<unknown>;
}

/**
 * One poll, page by page: each page is durable on the bus before the checkpoint moves behind it.
 * Ends at the deadline and on drain, whether the source minds its signal or not.
 */
export async function pollSource(options: PollSourceOptions): Promise<Poll> {
  const { id, source, checkpoints, clock, deadlineMs, stop, onCheckpoint = () => {} } = options;
  const controller = new AbortController();
  const ended = Promise.withResolvers<"ended">();
  const end = (reason: Error): void => {
    controller.abort(reason);
    ended.resolve("ended");
  };
  const onStop = (): void => end(new OrgLoopError("DRAINING", `${id}: the process is stopping`));
  if (stop.aborted) onStop();
  stop.addEventListener("abort", onStop, { once: true });
  const cancel = callAt(clock, clock.now() + deadlineMs, () =>
    end(new OrgLoopError("TIMEOUT", `${id}: the poll took over ${formatDuration(deadlineMs)}`)),
  );
  const endMs = clock.wall() + deadlineMs;
  let released: Promise<unknown> = Promise.resolve();
  let by: "source" | "host" = "host";
  try {
    const before = await checkpoints.get(id);
    if (before !== null) onCheckpoint(before);
    by = "source";
    const pages = source.poll(before, { signal: controller.signal, deadlineMs: endMs });
    const iterator = pages[Symbol.asyncIterator]();
    for (let current = before; ; by = "source") {
      const next = Promise.resolve(iterator.next());
      released = next.catch(() => {});
      const page = await Promise.race([next, ended.promise]);
      if (page === "ended") {
        void letGo(iterator);
        throw controller.signal.reason;
      }
      if (page.done) return { result: { kind: "done" }, released };
      const wrong = checkPage(page.value);
      if (wrong !== null) {
        void letGo(iterator);
        throw new OrgLoopError("INVALID_ANSWER", `${id}: a page of the poll is none: ${wrong}`);
      }
      by = "host";
      current = await keepPage(page.value, current, options, controller.signal);
    }
  } catch (error) {
    if (stop.aborted) return { result: { kind: "stopped" }, released };
    return { result: { kind: "failed", by, error }, released };
  } finally {
    cancel();
    stop.removeEventListener("abort", onStop);
  }
}

/** Nothing that the source does about it counts any more. */
async function letGo(iterator: AsyncIterator<SourcePage>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // It has been told of before, or is not wanted.
  }
}

/**
 * What is wrong with a page; null where nothing is. The checkpoint must not move behind what could
 * not be read.
 */
function checkPage(page: unknown): string | null {
  if (!isMapping(page)) return "expected an object";
  if (typeof page.checkpoint !== "string") return "`checkpoint`: expected text";
  return checkDrafts(page.events);
}

async function keepPage(
  { events, checkpoint }: SourcePage,
  before: string | null,
  { id, keep, checkpoints, onCheckpoint = () => {} }: PollSourceOptions,
  patience: AbortSignal,
): Promise<string> {
  if (events.length > 0) await keep(events, patience);
  if (checkpoint !== before) {
    await checkpoints.set(id, checkpoint);
    onCheckpoint(checkpoint);
  }
  return checkpoint;
}

/**
 * The lists that a source could not read last time. What tells of a source must not end its polls.
 */
export function illListsOf(
  source: Pick<Source, "illLists">,
  checkpoint: string | null,
): readonly IllList[] {
  try {
    return source.illLists?.(checkpoint) ?? [];
  } catch {
    return [];
  }
}
