import { open, readFile, stat } from "node:fs/promises";
import { checkEvent, hasCode, type InjectedEvent, messageOf, parseJson } from "@orgloop/sdk";
import { CommandError } from "../command-error.ts";
import { isBlank, readLines } from "./read-lines.ts";

/** A single JSON document is read as a whole; JSONL, of any size, line by line. */
const DOCUMENT_BYTES = 64 * 1024 * 1024;
const HEAD_BYTES = 1024 * 1024;

/** Where an event stands, and what stood there. */
interface Candidate {
  /** From 1; of a list in one document: the position, from 1. */
  readonly at: number;
  readonly unit: "line" | "event";
  readonly value: unknown;
}

/**
 * The events of a file: one JSON event, a list of them, or JSONL. Throws `BAD_EVENT` with the line
 * at the first that is none; reading it through once therefore checks the whole file. `shown` names
 * the file in messages.
 */
export async function* readEvents(file: string, shown: string): AsyncGenerator<InjectedEvent> {
  const candidates = (await isJsonLines(file)) ? jsonLines(file, shown) : document(file, shown);
  for await (const { at, unit, value } of candidates) {
    const wrong = checkEvent(value);
    if (wrong !== null)
      throw badEvent(unit === "line" ? `${shown}:${at}` : `${shown}, event ${at}`, wrong);
    yield value as InjectedEvent;
  }
}

async function* jsonLines(file: string, shown: string): AsyncGenerator<Candidate> {
  let at = 0;
  for await (const line of readLines(file)) {
    at += 1;
    if (isBlank(line)) continue;
    let value: unknown;
    try {
      value = parseJson(line);
    } catch (error) {
      throw badEvent(`${shown}:${at}`, whyNoEvent(error));
    }
    yield { at, unit: "line", value };
  }
}

async function* document(file: string, shown: string): AsyncGenerator<Candidate> {
  if ((await stat(file)).size > DOCUMENT_BYTES) {
    throw badEvent(
      shown,
      "one JSON document of more than 64 MB: write it as JSONL, one event a line",
    );
  }
  const bytes = await readFile(file);
  let value: unknown;
  try {
    value = parseJson(bytes);
  } catch (error) {
    const place = placeIn(bytes.toString(), messageOf(error));
    throw badEvent(`${shown}${place}`, whyNoEvent(error));
  }
  if (!Array.isArray(value)) yield { at: 1, unit: "line", value };
  else
    for (const [index, item] of value.entries())
      yield { at: index + 1, unit: "event", value: item };
}

/** JSONL is what has an object of its own in its first line. */
async function isJsonLines(file: string): Promise<boolean> {
  if (/\.(jsonl|ndjson)$/.test(file)) return true;
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const line = buffer.toString("utf8", 0, bytesRead).trimStart().split("\n")[0] ?? "";
    return !Array.isArray(parseJson(line));
  } catch {
    return false;
  } finally {
    await handle.close();
  }
}

const whyNoEvent = (error: unknown): string =>
  `${hasCode(error, "NUMBER_OUT_OF_RANGE") ? error.code : "no JSON"}: ${messageOf(error)}`;

/** V8 tells the offset: `… at position 17 (line 2 column 3)`. */
function placeIn(text: string, message: string): string {
  const [, position] = /at position (\d+)/.exec(message) ?? [];
  return position === undefined ? "" : `:${text.slice(0, Number(position)).split("\n").length}`;
}

function badEvent(where: string, what: string): CommandError {
  return new CommandError("BAD_EVENT", `${where}: ${what}; nothing was sent`);
}
