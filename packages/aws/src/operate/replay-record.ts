import {
  isTarget,
  publicationOfReplay,
  type RecordedEvent,
  type RecordedLine,
  type RecordedQuery,
  type ReplayTarget,
  recordedSelection,
  replayPace,
  systemClock,
} from "@orgloop/engine";
import type { OrgLoopEvent } from "@orgloop/sdk";
import { claimedIds } from "../state/claims.ts";
import { dynamoReplayNumbers } from "../state/replay-numbers.ts";
import { awsCalls } from "./aws-calls.ts";
import type { OpenStage } from "./open-stage.ts";
import {
  findHistory,
  type HistoryPlace,
  type HistoryRead,
  readHistory,
  readRecordedLine,
} from "./read-record.ts";
import { recordedMatcher } from "./recorded-matcher.ts";
import { sendEvents } from "./send-events.ts";

interface HistoryReplay extends RecordedQuery {
  /** Only to this route. */
  readonly route?: string;
  /** `N/s`. */
  readonly rate?: string;
  readonly dryRun: boolean;
  readonly onRead?: (read: HistoryRead) => void;
  readonly onProgress?: (sent: number) => void;
}

export interface HistoryReplayAnswer {
  readonly dry_run: boolean;
  /**
   * Recorded events as asked for that a route takes, or may take where its filter holds a secret.
   */
  readonly matched: number;
  /** Ids asked for that are not recorded, or that no route takes. */
  readonly not_found: readonly string[];
  /**
   * Those of them that were routed, as their claims say, and that the record does not have: not
   * yet, where they are new. Absent where there are none.
   */
  readonly unrecorded?: readonly string[];
}

/** Replays that are prepared and sent together, where no rate keeps them apart. */
const TOGETHER = 100;

/**
 * Routes recorded events anew, in the order in which they were first routed: they go over the bus
 * like every event, each with a number of its own. Where a transform dropped an event it is dropped
 * again, unless it is asked for by its id. Resolves when all are on the bus. Throws `INVALID_RATE`.
 */
export async function replayHistory(
  stage: OpenStage,
  { route, rate, dryRun, onRead, onProgress = () => {}, ...query }: HistoryReplay,
): Promise<HistoryReplayAnswer> {
  const pace = replayPace(rate, systemClock);
  const matcher = recordedMatcher((await stage.topology()).routes);
  const target = ({ dropped }: RecordedLine): ReplayTarget => ({
    route,
    skip: query.ids === undefined ? dropped : undefined,
  });
  const selection = recordedSelection<HistoryPlace>(query, (line) =>
    matcher.match(line.event).some(({ name }) => isTarget(name, target(line))),
  );
  const { ids } = query;
  const lines =
    ids === undefined
      ? readHistory(stage, query, onRead)
      : await findHistory(stage, { ...query, ids }, onRead);
  for await (const { line, place } of lines) selection.add(line, place);
  const found = selection.found();
  const known = new Set(found.map(({ id }) => id));
  const not_found = [...(query.ids ?? [])].filter((id) => !known.has(id));
  if (!dryRun) {
    const numbers = dynamoReplayNumbers(stage.table);
    const onBus = async (
      recorded: RecordedEvent<HistoryPlace>,
    ): Promise<readonly OrgLoopEvent[]> => {
      const line = await readRecordedLine(stage, recorded.place);
      if (line === null) return [];
      const number = Math.max(await numbers.next(recorded.id), recorded.replays + 1);
      return [publicationOfReplay(line.event, number, target(line))];
    };
    const together = rate === undefined ? TOGETHER : 1;
    for (let first = 0; first < found.length; first += together) {
      await pace();
      const part = found.slice(first, first + together);
      await sendEvents(stage, (await awsCalls().map(part, onBus)).flat());
      onProgress(first + part.length);
    }
  }
  const unrecorded = await claimedIds(stage.table, not_found);
  const answer = { dry_run: dryRun, matched: found.length, not_found };
  return unrecorded.length === 0 ? answer : { ...answer, unrecorded };
}
