import type { DeadReason, LogEntry } from "@orgloop/sdk";
import type { EventTraces } from "./event-traces.ts";

/**
 * How an event ended on a route. `waiting`: it has not; `dropped`, `halted`: by a transform;
 * `dead`: a dead letter.
 */
export type OutcomeState = "waiting" | "delivered" | "dropped" | "halted" | "dead";

export interface RouteOutcome {
  readonly route: string;
  readonly actor: string | null;
  readonly state: OutcomeState;
  /** Attempts that count, over all replays. */
  readonly attempts: number;
  /** The last replay of it; 0: it was never replayed. */
  readonly replay: number;
  /** Of a dead letter. */
  readonly reason: DeadReason | null;
  /** The letter, where there still is one. */
  readonly letter: string | null;
  /** Which transform dropped or halted it; null: none, or only the record tells. */
  readonly transform: string | null;
  /** What went wrong last. */
  readonly error: string | null;
  /** When that was, ISO 8601, UTC. */
  readonly at: string;
}

type Draft = { -readonly [Key in keyof RouteOutcome]: RouteOutcome[Key] } & {
  readonly counts: Map<number, number>;
};

/**
 * How each route ended, by what the log says of the event, then by its letters and the record where
 * the log says nothing.
 */
export function outcomesOf(
  own: readonly LogEntry[],
  { letters, routed }: Pick<EventTraces, "letters" | "routed">,
): readonly RouteOutcome[] {
  const drafts = new Map<string, Draft>();
  const draftOf = (route: string, at: string): Draft => {
    const draft = drafts.get(route) ?? newDraft(route, at);
    drafts.set(route, draft);
    return draft;
  };
  for (const entry of own) {
    if (entry.route !== undefined) take(draftOf(entry.route, entry.timestamp), entry);
  }
  for (const { at, dropped } of routed) {
    for (const route of dropped) {
      if (!drafts.has(route)) draftOf(route, at).state = "dropped";
    }
  }
  for (const letter of letters) {
    if (letter.route === null) continue;
    const draft = draftOf(letter.route, letter.last_at);
    draft.letter = letter.id;
    draft.actor ??= letter.actor;
    // The log may not have kept it; where it has, a replay may have succeeded since.
    if (draft.state === "delivered" && draft.at > letter.last_at) continue;
    if (draft.state === "waiting" && draft.replay > 0 && draft.at > letter.last_at) continue;
    Object.assign(draft, { state: "dead", reason: letter.reason, error: letter.last_error });
    if (draft.counts.size === 0) draft.counts.set(0, letter.attempts);
  }
  return [...drafts.values()].map(({ counts, ...draft }) => ({
    ...draft,
    attempts: [...counts.values()].reduce((sum, count) => sum + count, 0),
  }));
}

function newDraft(route: string, at: string): Draft {
  const nothing = { actor: null, reason: null, letter: null, transform: null, error: null };
  return { route, state: "waiting", attempts: 0, replay: 0, ...nothing, at, counts: new Map() };
}

const ENDS: Partial<Record<LogEntry["phase"], OutcomeState>> = {
  "route.match": "waiting",
  "transform.drop": "dropped",
  "transform.error_drop": "dropped",
  "transform.error_halt": "halted",
  "deliver.attempt": "waiting",
  "deliver.retry": "waiting",
  "deliver.success": "delivered",
  "deliver.failure": "dead",
  "deliver.dead_letter": "dead",
};

function take(draft: Draft, entry: LogEntry): void {
  const { phase, replay = 0, target, transform, attempt, error, result, timestamp } = entry;
  const state = ENDS[phase];
  if (state === undefined) return;
  draft.state = state;
  draft.at = timestamp;
  draft.actor = target ?? draft.actor;
  draft.replay = Math.max(draft.replay, replay);
  draft.transform = state === "dropped" || state === "halted" ? (transform ?? null) : null;
  draft.reason = state === "dead" ? ((result as DeadReason | undefined) ?? null) : null;
  draft.error = error ?? (state === "dead" ? draft.error : null);
  // An attempt counts once it has ended so; what a letter says of attempts includes those before.
  const ended = phase === "deliver.success" || phase === "deliver.failure";
  if (ended && attempt !== undefined) draft.counts.set(replay, attempt);
  if (phase === "deliver.dead_letter" && attempt !== undefined) {
    const before = [...draft.counts].reduce(
      (sum, [at, count]) => (at < replay ? sum + count : sum),
      0,
    );
    draft.counts.set(replay, Math.max(attempt - before, draft.counts.get(replay) ?? 0));
  }
}
