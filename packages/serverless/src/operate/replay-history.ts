import {
  compileMatcher,
  goesTo,
  type RecordedLine,
  type RecordedQuery,
  type ReplayTarget,
  recordedSelection,
  replayOnBus,
} from "@orgloop/core";
import { dynamoReplayNumbers } from "@orgloop/stores/dynamodb";
import type { OpenStage } from "./open-stage.ts";
import { type HistoryPlace, readHistory, readRecordedLine } from "./read-history.ts";
import { replayPace } from "./replay-pace.ts";
import { sendEvents } from "./send-events.ts";

export interface HistoryReplay extends RecordedQuery {
  /** Only to this route. */
  readonly route?: string;
  /** `N/s`. */
  readonly rate?: string;
  readonly dryRun: boolean;
  readonly onProgress?: (sent: number) => void;
}

export interface HistoryReplayAnswer {
  readonly dry_run: boolean;
  /** Recorded events as asked for that a route takes. */
  readonly matched: number;
  /** Ids asked for that are not recorded, or that no route takes. */
  readonly not_found: readonly string[];
}

/**
 * Routes recorded events anew, in the order in which they were first routed: they go over the bus like every event, each with a number of
 * its own. Where a transform dropped an event it is dropped again, unless it is asked for by its id. Resolves when all are on the bus.
 * Throws `INVALID_RATE`.
 */
export async function replayHistory(
  stage: OpenStage,
  { route, rate, dryRun, onProgress = () => {}, ...query }: HistoryReplay,
): Promise<HistoryReplayAnswer> {
  const pace = replayPace(rate);
  const matcher = compileMatcher((await stage.topology()).routes);
  const target = ({ dropped }: RecordedLine): ReplayTarget => ({
    route,
    skip: query.ids === undefined ? dropped : undefined,
  });
  const selection = recordedSelection<HistoryPlace>(query, (line) =>
    matcher.match(line.event).some(({ name }) => goesTo(name, target(line))),
  );
  for await (const { line, place } of readHistory(stage, query)) selection.add(line, place);
  const found = selection.found();
  const ids = new Set(found.map(({ id }) => id));
  const not_found = [...(query.ids ?? [])].filter((id) => !ids.has(id));
  if (!dryRun) {
    const numbers = dynamoReplayNumbers(stage.table);
    for (const [index, { id, place, replays }] of found.entries()) {
      await pace();
      const line = await readRecordedLine(stage, place);
      if (line === null) continue;
      const number = Math.max(await numbers.next(id), replays + 1);
      await sendEvents(stage, [replayOnBus(line.event, number, target(line))]);
      onProgress(index + 1);
    }
  }
  return { dry_run: dryRun, matched: found.length, not_found };
}
