import { type FoundTraces, foundTraces } from "@orgloop/engine";
import type { LogEntry } from "@orgloop/sdk";
import type { OpenStage } from "./open-stage.ts";
import { type HistoryRead, lastHistory } from "./read-record.ts";
import { stageLetters } from "./stage-letters.ts";
import { stageLogs } from "./stage-logs.ts";

export interface StageTracesOptions {
  /** How far back the log is read of what is not in the record, in ms since the epoch. */
  readonly sinceMs: number;
  readonly onRead?: (read: HistoryRead) => void;
}

/** An event is logged before it is recorded: it may wait on the bus. */
const BEFORE_MS = 3_600_000;

/**
 * All that a stage has kept of the event whose id is `wanted`, or begins so: its record, its
 * letters, and what its functions have logged of it. The record is read from its end, until the
 * event is found. What lies in queues cannot be looked at without taking it.
 */
export async function stageTraces(
  stage: OpenStage,
  wanted: string,
  { sinceMs, onRead }: StageTracesOptions,
): Promise<FoundTraces> {
  const { list, get: letter } = stageLetters(stage);
  const { letters } = await list({});
  const found = await lastHistory(stage, ({ id }) => id.startsWith(wanted), onRead);
  const lines = found.map(({ line }) => line);
  const fromMs = Math.min(sinceMs, ...lines.map(({ at }) => Date.parse(at) - BEFORE_MS));
  const entries: LogEntry[] = [];
  const { signal } = new AbortController();
  const asked = { sinceMs: fromMs, follow: false, signal, mentions: wanted };
  for await (const entry of stageLogs(stage, asked)) entries.push(entry);
  return foundTraces(wanted, { entries, lines, letters, unsettled: [], letter });
}
