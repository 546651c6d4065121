import { onStage, stageOf } from "../aws/stage.ts";
import type { Command, CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { periodOf } from "../events/point-in-time.ts";
import { needsProcess, replayRate } from "../events/replay-rate.ts";
import { wholeEventIds } from "../events/whole-id.ts";
import { locateData } from "../process/data-directory.ts";
import { callProcess, findProcess } from "../process/running-process.ts";

export interface ReplayOptions {
  readonly event?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly source?: string;
  readonly route?: string;
  readonly dryRun?: boolean;
  readonly rate?: string;
}

/** What the process, or the stage, answers. */
interface Answer {
  readonly dry_run: boolean;
  readonly matched: number;
  readonly not_found: readonly string[];
  /** On AWS: those of them that were routed, and are not recorded, or not yet. */
  readonly unrecorded?: readonly string[];
}

/**
 * `orgloop replay`: routes recorded events anew. Exit status 1 where an id is not recorded, or no
 * route takes its event.
 */
export const replay: Command<ReplayOptions> = async (context, _args, options) => {
  const { output } = context;
  const { event: given, since, until, source, route, dryRun = false, rate } = options;
  if (given === undefined && since === undefined) {
    throw new CommandError("USAGE", "say which events: --event ID, or --since TIME");
  }
  const period = periodOf({ ...(since && { since }), ...(until && { until }) });
  const chosen = {
    ...period,
    ...replayRate(rate),
    ...(source !== undefined && { source }),
    ...(route !== undefined && { route }),
  };
  const located = await locateData(context);
  const { dataDir, project } = located;
  const event = given && (await wholeEventIds(context, located, given));
  const stage = stageOf(context, project);
  let read: { readonly objects: number; readonly from: string } | undefined;
  const answer =
    stage === null
      ? await replayByProcess(context, dataDir, {
          ...chosen,
          ...(event !== undefined && { events: event }),
          dry_run: dryRun,
        })
      : await onStage(stage, (open, { replayHistory }) =>
          replayHistory(open, {
            ...chosen,
            ...(event !== undefined && { ids: new Set(event) }),
            dryRun,
            onRead: (so) => {
              read = so;
              output.progress(`${objectsOf(so)} read, back to ${so.from}`);
            },
            onProgress: (sent) => output.progress(`${sent} sent`),
          }),
        );
  output.progress(null);
  if (read !== undefined)
    output.note(`Read ${objectsOf(read)} of the record, from ${read.from} on.`);
  const { matched, not_found, unrecorded = [] } = answer;
  for (const id of not_found) {
    const was = "was routed and is not in the record: what is new is written within minutes";
    output.warn(`${id}: ${unrecorded.includes(id) ? was : "not recorded, or no route takes it"}`);
  }
  const events = matched === 1 ? "1 event" : `${matched} events`;
  output.result(answer, `${events} ${dryRun ? "would be" : "will be"} routed anew.`);
  return not_found.length > 0 ? 1 : 0;
};

const objectsOf = ({ objects }: { readonly objects: number }): string =>
  objects === 1 ? "1 object" : `${objects} objects`;

async function replayByProcess(
  { home }: CommandContext,
  dataDir: string,
  json: unknown,
): Promise<Answer> {
  const found = await findProcess(home, dataDir);
  if (!found?.responsive) throw needsProcess();
  return callProcess<Answer>(home, found, "/control/replay", { json });
}
