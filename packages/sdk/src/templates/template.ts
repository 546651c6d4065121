import { hasCode } from "../errors.ts";
import { splitPath } from "../values/path.ts";

/** What stands between `{{` and `}}`. */
export interface Placeholder {
  /** As it is written, without the spaces around it. */
  readonly path: string;
  readonly segments: readonly string[];
  /** Of its `{{` in the text. */
  readonly offset: number;
}

/** Something in a template that can mean nothing, at its place in the text. */
export interface TemplateProblem {
  readonly message: string;
  readonly offset: number;
  readonly length: number;
}

/** A text with `{{dot.path}}` in it, read once. */
export interface Template {
  readonly text: string;
  /** The text's own words and its placeholders, in their order; no two texts are neighbours. */
  readonly parts: readonly (string | Placeholder)[];
  /**
   * What `validate` refuses: an open brace, an empty segment of a path, a name that reaches a
   * prototype.
   */
  readonly problems: readonly TemplateProblem[];
}

/** A root that no template has: a placeholder that is wrong leads nowhere. */
const NOWHERE: readonly string[] = [""];
const BRACE = /[{}]/g;

/**
 * Reads a template (`docs/configuration.md`, Templates). Never throws, in time linear in the text:
 * where nobody has validated it, an open brace stays as it is and a path that is none leads
 * nowhere.
 */
export function parseTemplate(text: string): Template {
  const parts: (string | Placeholder)[] = [];
  const problems: TemplateProblem[] = [];
  let written = 0;
  for (let from = 0; ; ) {
    const offset = openingFrom(text, from);
    if (offset === -1) break;
    const close = closingOf(text, offset + 2);
    if (close === -1) {
      const message = "{{ is not closed: expected {{dot.path}}, e.g. {{payload.action}}";
      problems.push({ message, offset, length: 2 });
      from = offset + 2;
      continue;
    }
    if (offset > written) parts.push(text.slice(written, offset));
    const path = text.slice(offset + 2, close).trim();
    const end = close + 2;
    parts.push({ path, segments: segmentsOf(path, offset, end - offset, problems), offset });
    written = end;
    from = end;
  }
  if (written < text.length) parts.push(text.slice(written));
  return { text, parts, problems };
}

/** Whether the template is nothing but one placeholder, whose value may keep its type. */
export function onlyPlaceholder({ parts: [first, ...more] }: Template): Placeholder | undefined {
  return more.length === 0 && typeof first === "object" ? first : undefined;
}

/** Of more than two braces the last two open: `{{{a}}}` is `{`, a placeholder, `}`. */
function openingFrom(text: string, from: number): number {
  let at = text.indexOf("{{", from);
  while (at !== -1 && text.charCodeAt(at + 2) === 123) at += 1;
  return at;
}

/**
 * Where the `}}` is that closes what was opened before `from`; -1 where another brace comes first.
 */
function closingOf(text: string, from: number): number {
  BRACE.lastIndex = from;
  const at = BRACE.exec(text)?.index ?? -1;
  return at !== -1 && text.startsWith("}}", at) ? at : -1;
}

function segmentsOf(
  path: string,
  offset: number,
  length: number,
  problems: TemplateProblem[],
): readonly string[] {
  try {
    return splitPath(path);
  } catch (error) {
    if (!hasCode(error, "INVALID_PATH")) throw error;
    problems.push({ message: `{{${path}}}: ${error.message}`, offset, length });
    return NOWHERE;
  }
}
