/**
 * How long an event waits in an inbox at most, whatever `inbox_ttl` says: what is long lies in the
 * bucket for 120 days, and may have waited for two weeks before.
 */
export const MAX_INBOX_TTL = "90d";

/** How long a transform may take with one event, in ms: the router has 30 s for a batch. */
export const MAX_TRANSFORM_MS = 20_000;

/**
 * How long each transform of a route may take with one event on `sqs`, in ms, in their order: they
 * run one after the other, and have `MAX_TRANSFORM_MS` together. Those that say their time have
 * it; the rest share evenly what is left. `written`: `timeout_ms` of each, undefined where it says
 * none. Null where nothing, or less, is left.
 */
export function transformTimes(written: readonly (number | undefined)[]): readonly number[] | null {
  const said = written.reduce<number>((sum, ms) => sum + (ms ?? 0), 0);
  const silent = written.filter((ms) => ms === undefined).length;
  const left = MAX_TRANSFORM_MS - said;
  const share = Math.floor(left / Math.max(1, silent));
  return left < 0 || (share === 0 && silent > 0) ? null : written.map((ms) => ms ?? share);
}
