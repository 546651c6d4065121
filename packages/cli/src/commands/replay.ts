import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { locateData } from "../data-directory.ts";
import { periodOf } from "../point-in-time.ts";
import { needsProcess, replayRate } from "../replay-rate.ts";
import { callProcess, findProcess } from "../running-process.ts";

export interface ReplayOptions {
  readonly event?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly source?: string;
  readonly route?: string;
  readonly dryRun?: boolean;
  readonly rate?: string;
}

/** What the process answers. */
interface Answer {
  readonly dry_run: boolean;
  readonly matched: number;
  readonly not_found: readonly string[];
}

/** `orgloop replay`: routes recorded events anew. Exit status 1 where an id is not recorded, or no route takes its event. */
export const replay: Command<ReplayOptions> = async (context, _args, options) => {
  const { output, home } = context;
  const { event, since, until, source, route, dryRun = false, rate } = options;
  if (event === undefined && since === undefined) {
    throw new CommandError("USAGE", "say which events: --event ID, or --since TIME");
  }
  const json = {
    ...periodOf({ ...(since && { since }), ...(until && { until }) }),
    ...replayRate(rate),
    ...(event !== undefined && { events: event }),
    ...(source !== undefined && { source }),
    ...(route !== undefined && { route }),
    dry_run: dryRun,
  };
  const { dataDir } = await locateData(context);
  const found = await findProcess(home, dataDir);
  if (!found?.responsive) throw needsProcess();
  const answer = await callProcess<Answer>(home, found, "/control/replay", { json });
  const { matched, not_found } = answer;
  for (const id of not_found) output.warn(`${id}: not recorded, or no route takes it`);
  const events = matched === 1 ? "1 event" : `${matched} events`;
  output.result(answer, `${events} ${dryRun ? "would be" : "will be"} routed anew.`);
  return not_found.length > 0 ? 1 : 0;
};
