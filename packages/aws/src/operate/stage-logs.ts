import { setTimeout as wait } from "node:timers/promises";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import type { LogEntry } from "@orgloop/sdk";
import { filterLogs } from "./filter-logs.ts";
import { type Concern, logGroupsOf } from "./log-groups.ts";
import type { LogQuery, ReadLogs } from "./log-query.ts";
import type { OpenStage } from "./open-stage.ts";
import { queryLogs } from "./query-logs.ts";

export interface StageLogsOptions extends Concern {
  readonly sinceMs: number;
  /** Goes on until `signal` is aborted. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** Only what mentions it: CloudWatch looks for it, not we. */
  readonly mentions?: string;
}

const FOLLOW_MS = 2_000;
/** CloudWatch shows an entry some seconds after its time: so much is read again. */
const LATE_MS = 30_000;
/**
 * More groups than this are queried together: read one by one, they run into the quota of
 * `FilterLogEvents` (5 a second).
 */
const MAX_READ_ONE_BY_ONE = 20;

/**
 * The entries that the stage's functions have logged, in the order of their times; of what is
 * followed, as it comes. Only functions are asked that can have logged what is asked for.
 */
export async function* stageLogs(
  stage: OpenStage,
  { sinceMs, follow, signal, mentions, ...concern }: StageLogsOptions,
): AsyncGenerator<LogEntry> {
  const client = new CloudWatchLogsClient({ region: stage.region, maxAttempts: 8 });
  try {
    const topology = await stage.topology();
    let fromMs = sinceMs;
    let seen = new Set<string>();
    for (;;) {
      const beganMs = Date.now();
      const groups = await logGroupsOf(client, stage.names, topology, concern);
      const read: ReadLogs = groups.length > MAX_READ_ONE_BY_ONE ? queryLogs : filterLogs;
      const query: LogQuery = { groups, fromMs, untilMs: beganMs, ...(mentions && { mentions }) };
      const shown = new Set<string>();
      const entries: LogEntry[] = [];
      for (const { id, message } of await read(client, query)) {
        const entry = seen.has(id) || shown.has(id) ? null : parseEntry(message);
        shown.add(id);
        if (entry !== null) entries.push(entry);
      }
      yield* entries.sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
      if (!follow || signal.aborted) return;
      seen = shown;
      fromMs = Math.max(sinceMs, beganMs - LATE_MS);
      await wait(FOLLOW_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
    }
  } finally {
    client.destroy();
  }
}

/**
 * What Lambda writes before the entry (time, request, level) is left out; null for lines that the
 * function did not write.
 */
function parseEntry(message: string): LogEntry | null {
  const begin = message.indexOf("{");
  if (begin < 0) return null;
  try {
    const entry = JSON.parse(message.slice(begin));
    return typeof entry?.phase === "string" && typeof entry.timestamp === "string" ? entry : null;
  } catch {
    return null;
  }
}
