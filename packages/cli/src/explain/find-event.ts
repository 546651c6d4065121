import { existsSync, statSync } from "node:fs";
import type { EventTraces, FoundTraces } from "@orgloop/engine";
import { readStoredTraces } from "@orgloop/node";
import { onStage, stageOf } from "../aws/stage.ts";
import type { CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import type { DataLocation } from "../process/data-directory.ts";
import { callProcess, findProcess } from "../process/running-process.ts";

/** A file, or what may be an event's id; a file goes before. */
export function isFile(given: string): boolean {
  return given === "-" || (existsSync(given) && statSync(given).isFile());
}

/** How far back a stage's log is read for what its record does not have. */
const STAGE_LOG_MS = 24 * 3_600_000;

/**
 * What was kept of an event, by its id or the beginning of one, with or without `evt_`: of the
 * process that runs, of its files where none does, or of the stage. Throws `NO_EVENT_KEPT` where
 * there is none, and `AMBIGUOUS_ID` where there are several.
 */
export async function findEvent(
  context: CommandContext,
  located: DataLocation,
  given: string,
): Promise<{ readonly id: string; readonly traces: EventTraces }> {
  if (!/^[A-Za-z0-9_]+$/.test(given)) {
    throw new CommandError("NO_FILE", `there is no file ${given}, and no event has such an id`);
  }
  const wanted = given.startsWith("evt_") ? given : `evt_${given}`;
  const { ids, traces } = await look(context, located, wanted);
  const [id, ...others] = ids;
  if (id !== undefined && traces !== null) return { id, traces };
  if (others.length > 0) {
    const message = `"${given}" is the beginning of several ids: ${ids.join(", ")}`;
    throw new CommandError("AMBIGUOUS_ID", message);
  }
  throw new CommandError(
    "NO_EVENT_KEPT",
    `neither a file nor an event of which anything is kept: ${given}`,
  );
}

async function look(
  context: CommandContext,
  { project, dataDir }: DataLocation,
  wanted: string,
): Promise<FoundTraces> {
  const { home, output } = context;
  const stage = stageOf(context, project);
  if (stage !== null) {
    const sinceMs = Date.now() - STAGE_LOG_MS;
    const onRead = ({ objects, from }: { objects: number; from: string }) =>
      output.progress(`${objects} objects of the record read, back to ${from}`);
    const found = await onStage(stage, (open, { stageTraces }) =>
      stageTraces(open, wanted, { sinceMs, onRead }),
    );
    output.progress(null);
    return found;
  }
  const running = await findProcess(home, dataDir);
  if (running?.responsive) return callProcess(home, running, `/control/events/${wanted}`);
  const bus = project.topology?.bus ?? null;
  return readStoredTraces(wanted, dataDir, bus, (message) => output.warn(message));
}
