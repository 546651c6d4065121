import { isMapping } from "./document-path.ts";
import { readYaml } from "./yaml-values.ts";

/** YAML between a first line `---` and the next line `---`. */
const FRONT_MATTER = /^---[ \t]*\r?\n(?:([\s\S]*?)\r?\n)?---[ \t]*(?:\r?\n|$)/;

/** A prompt file's text and front matter. Front matter that is no mapping stays in the text. */
export function splitPrompt(text: string): {
  text: string;
  meta: Readonly<Record<string, unknown>> | null;
  /** Why what looks like front matter is not read as such. */
  problem?: string;
} {
  const found = FRONT_MATTER.exec(text);
  if (!found) return { text, meta: null };
  try {
    const meta = readYaml(found[1] ?? "") ?? null;
    if (meta === null || isMapping(meta)) return { text: text.slice(found[0].length), meta };
    return { text, meta: null, problem: "it is no mapping" };
  } catch (error) {
    return { text, meta: null, problem: error instanceof Error ? error.message : String(error) };
  }
}
