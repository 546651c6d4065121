import { existsSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { checkEvent, type InjectedEvent, type OrgLoopEvent, parseJson } from "@orgloop/sdk";
import { CommandError } from "../command-error.ts";
import { isBlank, readLines } from "../events/read-lines.ts";

/** An event of a record, and when it was routed, in ms since the epoch. */
export interface RecordedEvent {
  readonly event: OrgLoopEvent;
  readonly atMs: number;
}

/** Events as they are read, and what of the files is none. */
export interface RecordedEvents {
  readonly events: AsyncIterable<RecordedEvent>;
  /** So far: lines that hold no event, and where the first stands. */
  readonly unreadable: { count: number; first: string | null };
  readonly files: readonly string[];
}

/**
 * The events of a file of JSONL, or of all such files in a directory and its folders, by name: what
 * the recorder of a process writes (`data/events`, a line `{ at, event }`), or plain events.
 * Replays are passed over: their event stands there as well. Throws `NO_EVENTS` where there is no
 * such file.
 */
export async function recordedEvents(target: string): Promise<RecordedEvents> {
  const files = await filesOf(target);
  const unreadable: RecordedEvents["unreadable"] = { count: 0, first: null };
  return { events: read(files, unreadable), unreadable, files };
}

async function filesOf(target: string): Promise<readonly string[]> {
  if (!existsSync(target)) {
    throw new CommandError("NO_EVENTS", `there is no ${target}: name a JSONL file of events`);
  }
  if (!statSync(target).isDirectory()) return [target];
  const names = (await readdir(target, { recursive: true })).filter((name) =>
    name.endsWith(".jsonl"),
  );
  if (names.length > 0) return names.sort().map((name) => path.join(target, name));
  throw new CommandError("NO_EVENTS", `there is no .jsonl file in ${target}`);
}

async function* read(
  files: readonly string[],
  unreadable: RecordedEvents["unreadable"],
): AsyncGenerator<RecordedEvent> {
  for (const file of files) {
    let line = 0;
    for await (const text of readLines(file)) {
      line += 1;
      if (isBlank(text)) continue;
      const found = parse(text, line);
      if (found === null) {
        unreadable.count += 1;
        unreadable.first ??= `${file}:${line}`;
      } else if (found.event.replay === undefined) yield found;
    }
  }
}

/**
 * Null for what is no event. What an event lacks is filled in: whoever writes one by hand leaves
 * out what does not matter.
 */
function parse(text: Uint8Array, line: number): RecordedEvent | null {
  let value: { readonly at?: unknown; readonly event?: unknown };
  try {
    value = Object(parseJson(text));
  } catch {
    return null;
  }
  const recorded = value.event !== undefined && typeof value.at === "string";
  const given = recorded ? value.event : value;
  if (checkEvent(given) !== null) return null;
  const event = given as InjectedEvent;
  const timestamp = event.timestamp ?? new Date(0).toISOString();
  return {
    atMs: Date.parse(recorded ? String(value.at) : timestamp),
    event: {
      ...event,
      id: event.id ?? `evt_line${line}`,
      timestamp,
      type: event.type ?? "resource.changed",
      provenance: event.provenance ?? { platform: "unknown" },
      payload: event.payload ?? {},
      trace_id: event.trace_id ?? `trc_line${line}`,
    },
  };
}
