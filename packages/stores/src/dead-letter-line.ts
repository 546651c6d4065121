import { type DeadLetter, type DeadLetterSummary, parseJson } from "@orgloop/sdk";
import { eventLast } from "./event-last.ts";

/** What a line of the file says. */
export type LetterLine =
  | { readonly put: DeadLetterSummary }
  | { readonly removed: readonly string[] };

const letterLine = eventLast<DeadLetter>("letter");
export const { encode: letterBody, decode: parseLetter } = letterLine;

export const removalBody = (removed: readonly string[]): string => JSON.stringify({ removed });

/** What a body says, without the event of a letter. Throws where it is no line of dead letters. */
export function parseLetterLine(body: Buffer): LetterLine {
  const put = letterLine.head(body);
  if (put !== null) return { put };
  const { removed } = JSON.parse(body.toString()) as { readonly removed?: unknown };
  if (!Array.isArray(removed)) throw new Error("a line of it is no dead letter");
  return { removed };
}

/**
 * The body of a line as it was written before there were checksums: a letter, or `{"removed":
 * [ids]}`.
 */
export function upgradeLetterLine(line: string): string | null {
  let value: Partial<DeadLetter> & { readonly removed?: unknown };
  try {
    value = Object(parseJson(line));
  } catch {
    return null;
  }
  const { removed, id, event } = value;
  if (Array.isArray(removed)) return removalBody(removed);
  const whole = typeof id === "string" && typeof event === "object" && event !== null;
  return whole ? letterBody(value as DeadLetter) : null;
}

/** What damaged bytes of the file held, for people. */
export function lostLetters(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  const events = new Set(text.matchAll(/"event_id":"([^"\\]+)"/g).map(([, id]) => id));
  const removals = [...text.matchAll(/"removed":\["([^\]]+)\]/g)];
  return [
    ...(events.size > 0 ? [`dead letters of ${[...events].join(", ")}`] : []),
    ...removals.map(([, ids = ""]) => `that ${ids.replaceAll('"', "")} were removed`),
  ].join("; ");
}
