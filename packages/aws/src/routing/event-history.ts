import { randomBytes } from "node:crypto";
import { eventAndTarget, type RecordedLine } from "@orgloop/engine";
import { hasCode, messageOf, type OrgLoopEvent, parseJson } from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";
import { readPublication } from "../queue/bus-message.ts";
import type { ObjectStore } from "../queue/message-body.ts";
import { sqsText } from "../queue/message-body.ts";

/** A line of the record on its way there. */
export interface HistoryLine extends Omit<RecordedLine, "event"> {
  /** Absent: it was too long for a message of the bus, and lies where that says. */
  readonly event?: OrgLoopEvent;
  /** Where the bus's message lies, and what the event's id is. */
  readonly claimed?: { readonly key: string; readonly id: string };
}

/** Where the record of an hour lies in the stage's bucket: `events/2026-11-23/14/`. */
export function recordFolder(atMs: number): string {
  const iso = new Date(atMs).toISOString();
  return `events/${iso.slice(0, 10)}/${iso.slice(11, 13)}/`;
}

/** Bytes of the lines of one message: ten of them are less than SQS takes at once. */
const MESSAGE_BYTES = 100_000;

/** Lines in the messages of the history's queue; `lines`: which of them are in it. */
export function historyMessages(
  lines: readonly HistoryLine[],
): readonly { readonly body: string; readonly lines: readonly number[] }[] {
  const parts: { texts: string[]; lines: number[]; bytes: number }[] = [];
  for (const [at, line] of lines.entries()) {
    const text = sqsText(line);
    const bytes = Buffer.byteLength(text);
    const last = parts.at(-1);
    if (last === undefined || last.bytes + bytes > MESSAGE_BYTES) {
      parts.push({ texts: [text], lines: [at], bytes });
    } else {
      last.texts.push(text);
      last.lines.push(at);
      last.bytes += bytes;
    }
  }
  return parts.map(({ texts, lines: of }) => ({
    body: `{"v":1,"lines":[${texts.join(",")}]}`,
    lines: of,
  }));
}

export interface WriteHistoryOptions {
  readonly objects: ObjectStore;
  readonly flow: Pick<FlowLog, "log">;
  readonly now: () => number;
}

/**
 * Writes what the history's queue has handed over as one object of JSON lines, in the hour of its
 * routing: two, where it was of two hours. Resolves when they are durable; what comes again is
 * written again, and readers drop it.
 */
export async function writeHistory(
  bodies: readonly string[],
  { objects, flow, now }: WriteHistoryOptions,
): Promise<void> {
  const lines = bodies.flatMap((body) => linesOf(body, flow));
  const written = await Promise.all(lines.map((line) => recordedLine(line, objects, flow)));
  const kept = written.filter((line) => line !== null).sort((a, b) => (a.at < b.at ? -1 : 1));
  await recordEvents(objects, kept, now());
}

/** An object of each hour in which a line was routed, named by when it is written. */
export async function recordEvents(
  objects: Pick<ObjectStore, "put">,
  lines: readonly RecordedLine[],
  nowMs: number,
): Promise<void> {
  const hours = Map.groupBy(lines, ({ at }) => recordFolder(Date.parse(at)));
  const name = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, "");
  await Promise.all(
    Array.from(hours, ([folder, ofHour]) => {
      const key = `${folder}${name}-${randomBytes(6).toString("hex")}.jsonl`;
      return objects.put(key, ofHour.map((line) => `${JSON.stringify(line)}\n`).join(""));
    }),
  );
}

/** What is no message of ours is said, and holds up nothing. */
function linesOf(body: string, flow: Pick<FlowLog, "log">): readonly HistoryLine[] {
  try {
    const { lines } = parseJson(body) as { lines?: readonly HistoryLine[] };
    if (Array.isArray(lines)) return lines;
  } catch {
    // As of a text that is JSON, and no message of ours.
  }
  flow.log({ phase: "system.error", error: "a message in the history's queue holds no lines" });
  return [];
}

async function recordedLine(
  { claimed, event, ...line }: HistoryLine,
  objects: ObjectStore,
  flow: Pick<FlowLog, "log">,
): Promise<RecordedLine | null> {
  if (event !== undefined) return { ...line, event };
  if (claimed === undefined) return null;
  try {
    const message = await readPublication(await objects.get(claimed.key), objects);
    return { ...line, event: { ...eventAndTarget(message.event).event, id: claimed.id } };
  } catch (error) {
    if (!hasCode(error, "OBJECT_MISSING")) throw error;
    const text = `${claimed.id} is not recorded: ${messageOf(error)}`;
    flow.log({ phase: "system.error", event_id: claimed.id, error: text });
    return null;
  }
}
