import { OrgLoopError } from "@orgloop/sdk";
import * as z from "zod";

/**
 * Where one list of one repository stands. A *cycle* reads it from `since` to its end; it may take
 * several polls. Times are ISO 8601.
 */
export interface StreamState {
  /** What happened before this was emitted by an earlier cycle. It stays while a cycle lasts. */
  from: string;
  /** `updated_at` of the last item that was worked off. */
  since: string;
  /** Of the list as it was at the end of the last cycle. */
  etag?: string;
  /** What this cycle emitted, and the end of the one before: identity → the item's `updated_at`. */
  seen: Record<string, string>;
  /** Why the list could not be read last time; absent while it is well. */
  ill?: Illness;
}

/** A list that could not be read. */
export interface Illness {
  readonly error: string;
  /** In a row. */
  readonly failures: number;
  /** Polls that leave the list alone from now on. */
  readonly rest: number;
}

/** By repository, then by stream. */
export type Checkpoint = Record<string, Record<string, StreamState>>;

/**
 * Items may become visible late or share a second with the last one: so much of each list is read
 * again.
 */
export const OVERLAP_MS = 60_000;

/**
 * A long cycle forgets its oldest identities beyond this number; what then repeats has the same
 * identity.
 */
const MAX_SEEN = 5000;

/** Where a list is to be read from. */
export function readFrom({ since }: StreamState): string {
  return toSeconds(Date.parse(since) - OVERLAP_MS);
}

/** Takes note that an item was worked off, whatever it emitted. */
export function advance(
  state: StreamState,
  updatedAt: string,
  identities: readonly string[],
): void {
  for (const identity of identities) state.seen[identity] = updatedAt;
  if (Date.parse(updatedAt) > Date.parse(state.since)) {
    state.since = updatedAt;
    // It was of the list as asked for from the old time on.
    delete state.etag;
  }
  const excess = Object.keys(state.seen).length - MAX_SEEN;
  if (excess > 0)
    for (const key of Object.keys(state.seen).slice(0, excess)) delete state.seen[key];
}

/** The list was read to its end: what is older than the overlap cannot come again. */
export function endCycle(state: StreamState, etag: string | undefined): void {
  state.from = readFrom(state);
  const fromMs = Date.parse(state.from);
  state.seen = Object.fromEntries(
    Object.entries(state.seen).filter(([, updatedAt]) => Date.parse(updatedAt) >= fromMs),
  );
  if (etag === undefined) delete state.etag;
  else state.etag = etag;
}

/**
 * Reads a checkpoint: ours, or the plain time that OrgLoop 0.7.9 kept. It comes back with a state
 * for each list of each repository; one that is new begins at `startMs`, and so does one that has
 * begun in what is the future now, by a clock that was set back since, and has seen nothing yet.
 * Throws `INVALID_CHECKPOINT`.
 */
export function readCheckpoint(
  text: string | null,
  repos: readonly string[],
  lists: readonly { readonly name: string }[],
  { startMs, nowMs }: { readonly startMs: number; readonly nowMs: number },
): Checkpoint {
  const time = /^\d{4}-\d\d-\d\dT/.test(text ?? "") ? Date.parse(text ?? "") : Number.NaN;
  const known = text === null || !Number.isNaN(time) ? {} : parseStreams(text);
  const start = toSeconds(Number.isNaN(time) ? startMs : time);
  const fresh = (): StreamState => ({ from: start, since: start, seen: {} });
  // What items have said is GitHub's time, and stays.
  const isAhead = ({ since, seen }: StreamState): boolean =>
    Object.keys(seen).length === 0 && Date.parse(since) > nowMs + OVERLAP_MS;
  return Object.fromEntries(
    repos.map((repo) => [
      repo,
      Object.fromEntries(
        lists.map(({ name }) => {
          const state = known[repo]?.[name];
          return [name, state === undefined || isAhead(state) ? fresh() : state];
        }),
      ),
    ]),
  );
}

const time = z.string().refine((value) => !Number.isNaN(Date.parse(value)));

const checkpoint = z.object({
  version: z.literal(1),
  streams: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        from: time,
        since: time,
        etag: z.string().exactOptional(),
        seen: z.record(z.string(), time),
        ill: z.object({ error: z.string(), failures: z.int(), rest: z.int() }).exactOptional(),
      }),
    ),
  ),
});

function parseStreams(text: string): Checkpoint {
  try {
    return checkpoint.parse(JSON.parse(text)).streams;
  } catch (cause) {
    throw new OrgLoopError(
      "INVALID_CHECKPOINT",
      "the checkpoint is not one of this connector: remove it to begin with initial_lookback",
      { cause },
    );
  }
}

export function writeCheckpoint(streams: Checkpoint): string {
  return JSON.stringify({ version: 1, streams });
}

/** GitHub's form: whole seconds. */
function toSeconds(ms: number): string {
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}
