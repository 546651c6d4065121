import path from "node:path";
import { formatEntry, type LogEntry, type Paint } from "@orgloop/sdk";
import { onStage, stageOf } from "../aws/stage.ts";
import type { Command } from "../command.ts";
import { readEventLog } from "../events/event-log.ts";
import { pointInTime } from "../events/point-in-time.ts";
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
  const wanted = entryFilter(options, Date.now());
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
  if (stage === null) await show(readEventLog({ directory, follow, signal }));
  else {
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
  else if (written === 0) output.note(`nothing in ${where} is as asked for`);
  process.off("SIGINT", interrupt);
  process.off("SIGTERM", interrupt);
  return 0;
};

/** The console logger's line, which says besides which event and which attempt it is about. */
function humanLine(entry: LogEntry, paint: Paint): string {
  return formatEntry(entry, paint, [
    ["attempt", entry.attempt],
    ["evt", entry.event_id],
  ]);
}

/** Which entries `options` ask for. Throws `USAGE` for a time that is none. */
export function entryFilter(options: LogsOptions, nowMs: number): (entry: LogEntry) => boolean {
  const sinceMs =
    options.since === undefined
      ? Number.NEGATIVE_INFINITY
      : pointInTime("--since", options.since, nowMs);
  const { source, route, eventType, result, event, phase } = options;
  return (entry) =>
    Date.parse(entry.timestamp) >= sinceMs &&
    (source === undefined || entry.source === source) &&
    (route === undefined || entry.route === route) &&
    (eventType === undefined || entry.event_type === eventType) &&
    (result === undefined || entry.result === result) &&
    (event === undefined || entry.event_id === event || entry.trace_id === event) &&
    (phase === undefined || entry.phase === phase || entry.phase.startsWith(`${phase}.`));
}
