import { setTimeout as wait } from "node:timers/promises";
import {
  CloudWatchLogsClient,
  type FilteredLogEvent,
  paginateDescribeLogGroups,
  paginateFilterLogEvents,
} from "@aws-sdk/client-cloudwatch-logs";
import type { LogEntry } from "@orgloop/sdk";
import { isMissing } from "./aws-errors.ts";
import type { OpenStage } from "./open-stage.ts";
import { pooled } from "./pooled.ts";

export interface StageLogsOptions {
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

/** The entries that the stage's functions have logged, in the order of their times; of what is followed, as it comes. */
export async function* stageLogs(
  stage: OpenStage,
  { sinceMs, follow, signal, mentions }: StageLogsOptions,
): AsyncGenerator<LogEntry> {
  const client = new CloudWatchLogsClient({ region: stage.region });
  try {
    let fromMs = sinceMs;
    let seen = new Set<string>();
    for (;;) {
      const beganMs = Date.now();
      const groups = await logGroups(client, stage);
      const found = await pooled(groups, (group) => eventsOf(client, group, fromMs, mentions));
      const shown = new Set<string>();
      const entries: LogEntry[] = [];
      for (const { eventId = "", message = "" } of found.flat()) {
        shown.add(eventId);
        const entry = seen.has(eventId) ? null : parseEntry(message);
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

/** Of the functions that log events: names end as `awsNames` has them, so that no other stage's are among them. */
async function logGroups(
  client: CloudWatchLogsClient,
  { names }: OpenStage,
): Promise<readonly string[]> {
  const single = [names.router, names.receiver].map(names.logGroup);
  const found: string[] = [];
  const query = { logGroupNamePrefix: names.logGroup(names.prefix) };
  for await (const { logGroups: page = [] } of paginateDescribeLogGroups({ client }, query)) {
    for (const { logGroupName: name = "" } of page) {
      const kind = name.slice(query.logGroupNamePrefix.length);
      if (single.includes(name) || /^(deliver|poll)-.*[0-9a-f]{8}$/.test(kind)) found.push(name);
    }
  }
  return found;
}

async function eventsOf(
  client: CloudWatchLogsClient,
  logGroupName: string,
  startTime: number,
  mentions: string | undefined,
): Promise<readonly FilteredLogEvent[]> {
  const found: FilteredLogEvent[] = [];
  const query = {
    logGroupName,
    startTime,
    ...(mentions !== undefined && { filterPattern: `"${mentions.replaceAll('"', "")}"` }),
  };
  try {
    for await (const { events = [] } of paginateFilterLogEvents({ client }, query)) {
      found.push(...events);
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return found;
}

/** What Lambda writes before the entry (time, request, level) is left out; other lines are none of ours. */
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
