import path from "node:path";
import { suggestion } from "@orgloop/engine";
import { formatEntry, idBegins, type LogEntry, type Paint, PHASES } from "@orgloop/sdk";
import { onStage, stageOf } from "../aws/stage.ts";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { readEventLog } from "../events/event-log.ts";
import { pointInTime } from "../events/point-in-time.ts";
import { wholeId } from "../events/whole-id.ts";
import { locateData } from "../process/data-directory.ts";

export interface LogsOptions {
  readonly source?: string;
  readonly route?: string;
  readonly eventType?: string;
  readonly result?: string;
  readonly event?: string;
  readonly phase?: string;
  readonly since?: string;
  readonly format?: "human" | "jsonl";
  readonly follow: boolean;
}

/** How far `logs` goes back on AWS where nothing is said: the whole log is read at a price. */
const AWS_SINCE = "1h";

/** `orgloop logs`. With `--json` the entries are one array, which a Ctrl-C closes. */
export const logs: Command<LogsOptions> = async (context, _args, options) => {
  const { output, flags } = context;
  let wanted = entryFilter(options, Date.now());
  const { dataDir, project } = await locateData(context);
  const stage = stageOf(context, project);
  const directory = path.join(dataDir, "log");
  const where = stage === null ? directory : `the stage "${stage.workspace}"`;
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);

  let written = 0;
  const form = (entry: LogEntry): string => {
    if (flags.json) return `${written === 0 ? "[" : ","}\n${JSON.stringify(entry)}`;
    return `${options.format === "jsonl" ? JSON.stringify(entry) : humanLine(entry, output.style)}\n`;
  };
  const show = async (entries: AsyncIterable<LogEntry>) => {
    for await (const entry of entries) {
      if (!wanted(entry)) continue;
      output.write(form(entry));
      written += 1;
    }
  };
  const { follow, event, source, route, phase, since = AWS_SINCE } = options;
  const { signal } = stop;
  if (stage === null) {
    if (event !== undefined) {
      const whole = await wholeIdIn(directory, event, signal);
      wanted = entryFilter({ ...options, event: whole }, Date.now());
    }
    await show(readEventLog({ directory, follow, signal }));
  } else {
    const sinceMs = pointInTime("--since", since, Date.now());
    await onStage(stage, (open, { stageLogs }) =>
      show(
        stageLogs(open, {
          sinceMs,
          follow,
          signal,
          ...(event && { mentions: event }),
          ...(source && { source }),
          ...(route && { route }),
          ...(phase && { phase }),
        }),
      ),
    );
  }
  if (flags.json) output.write(written === 0 ? "[]\n" : "\n]\n");
  else if (written === 0) output.note(`no entry of ${where} fits what was asked for`);
  process.off("SIGINT", interrupt);
  process.off("SIGTERM", interrupt);
  return 0;
};

/** The console logger's line, which says besides which attempt it is about. */
function humanLine(entry: LogEntry, paint: Paint): string {
  return formatEntry(entry, paint, [["attempt", entry.attempt]]);
}

const isOf = ({ event_id = "", trace_id = "" }: LogEntry, id: string): boolean =>
  idBegins(event_id, id) || idBegins(trace_id, id);

/**
 * The whole id that `given` is the beginning of, of what the log holds so far; as it is where none
 * is. Throws `AMBIGUOUS_ID`.
 */
async function wholeIdIn(directory: string, given: string, signal: AbortSignal): Promise<string> {
  const found = new Set<string>();
  for await (const entry of readEventLog({ directory, follow: false, signal })) {
    const { event_id = "", trace_id = "" } = entry;
    if (event_id === given || trace_id === given) return given;
    if (idBegins(event_id, given)) found.add(event_id);
    else if (idBegins(trace_id, given)) found.add(trace_id);
  }
  return wholeId(given, found);
}

/** Throws `USAGE` for a phase that there is not: nothing would ever fit it. */
function checkPhase(phase: string): void {
  const groups = PHASES.map((one) => one.split(".")[0] ?? one);
  const known = [...new Set([...groups, ...PHASES])].sort();
  if (known.includes(phase)) return;
  const hint = suggestion(phase, known, "phases");
  throw new CommandError("USAGE", `--phase "${phase}": there is no such phase${hint}`);
}

/** Which entries `options` ask for. Throws `USAGE` for a time that is none, and a phase. */
export function entryFilter(options: LogsOptions, nowMs: number): (entry: LogEntry) => boolean {
  const sinceMs =
    options.since === undefined
      ? Number.NEGATIVE_INFINITY
      : pointInTime("--since", options.since, nowMs);
  const { source, route, eventType, result, event, phase } = options;
  if (phase !== undefined) checkPhase(phase);
  return (entry) =>
    Date.parse(entry.timestamp) >= sinceMs &&
    (source === undefined || entry.source === source) &&
    (route === undefined || entry.route === route) &&
    (eventType === undefined || entry.event_type === eventType) &&
    (result === undefined || entry.result === result) &&
    (event === undefined || isOf(entry, event)) &&
    (phase === undefined || entry.phase === phase || entry.phase.startsWith(`${phase}.`));
}
