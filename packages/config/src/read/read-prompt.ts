import { isMapping } from "@orgloop/sdk";
import { AMBIGUOUS, readYaml } from "./yaml/read-yaml.ts";

/** YAML between a first line `---` and the next line `---`. */
const FRONT_MATTER = /^---[ \t]*\n(?:([\s\S]*?)\n)?---[ \t]*(?:\n|$)/;

/** A text without a byte order mark, its line ends `\n`. */
export const unixText = (text: string): string =>
  text.replace(/^\uFEFF/, "").replaceAll(/\r\n?/g, "\n");

/** A prompt file, read. */
export interface SplitPrompt {
  readonly text: string;
  /** Where that begins in {@link unixText} of the file. */
  readonly start: number;
  readonly meta: Readonly<Record<string, unknown>> | null;
  /** Why what looks like front matter is not read as such. */
  readonly problem?: string;
}

/**
 * A prompt file's text and front matter. Front matter that is no mapping stays in the text. Line
 * ends are `\n`, and there is no byte order mark, however the file was saved: the same prompt is
 * the same text everywhere.
 */
export function splitPrompt(written: string): SplitPrompt {
  const text = unixText(written);
  const whole = { text, start: 0, meta: null };
  const found = FRONT_MATTER.exec(text);
  if (!found) return whole;
  try {
    const { value, ambiguity } = readYaml(found[1] ?? "");
    if (ambiguity !== null) return { ...whole, problem: AMBIGUOUS };
    const meta = value ?? null;
    if (meta !== null && !isMapping(meta)) return { ...whole, problem: "it is no mapping" };
    const start = found[0].length;
    return { text: text.slice(start), start, meta };
  } catch (error) {
    return { ...whole, problem: error instanceof Error ? error.message : String(error) };
  }
}
