import type { IllList } from "@orgloop/sdk";
import type { Checkpoint, Illness, StreamState } from "./stream-state.ts";

/**
 * Answers by which a repository says that it has not got a list: issues are off (410), it is empty
 * (409), no access (404).
 */
const ABSENT = new Set([404, 409, 410]);
/** Failures in a row after which a list is left alone for some polls, as a source is. */
const THRESHOLD = 5;
const LONGEST_REST = 15;

/**
 * Whether a list is to be left alone in this poll; each poll that asks brings the end of its rest
 * nearer.
 */
export function rests(state: StreamState): boolean {
  if (state.ill === undefined || state.ill.rest === 0) return false;
  state.ill = { ...state.ill, rest: state.ill.rest - 1 };
  return true;
}

/**
 * The list could not be read. One that the repository has not got is left alone for 1, 3, 7 and at
 * last 15 polls, any other one from its fifth failure on.
 */
export function fall(state: StreamState, error: string, cause: unknown): void {
  const failures = (state.ill?.failures ?? 0) + 1;
  const patient = !ABSENT.has(statusOf(cause) ?? 0) && failures < THRESHOLD;
  state.ill = { error, failures, rest: patient ? 0 : Math.min(2 ** failures - 1, LONGEST_REST) };
}

/** The lists of a checkpoint that could not be read last time. */
export function illLists(streams: Checkpoint): IllList[] {
  return Object.entries(streams).flatMap(([repo, lists]) =>
    Object.entries(lists).flatMap(([name, { ill }]) =>
      ill === undefined ? [] : [describe(`${repo} ${name}`, ill)],
    ),
  );
}

const describe = (list: string, { error, failures }: Illness): IllList => ({
  list,
  error,
  failures,
});

/** The HTTP status of a failed request, which its error has as its cause. */
function statusOf(error: unknown): number | undefined {
  const { status, cause } = (error ?? {}) as { status?: unknown; cause?: unknown };
  if (typeof status === "number") return status;
  return cause === undefined ? undefined : statusOf(cause);
}
