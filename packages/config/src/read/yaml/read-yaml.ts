import { constructFromEvents, EVENT_ID, parseEvents } from "js-yaml";
import { ambiguityOf } from "./ambiguity-of.ts";
import { costlyMerge } from "./costly-merge.ts";
import type { YamlEvents } from "./node-start.ts";
import { writtenOut } from "./written-out.ts";
import { explainYaml, MAX_DEPTH, YamlError } from "./yaml-error.ts";
import { YAML_SCHEMA } from "./yaml-schema.ts";

/** Aliases (`*name`) in one document. */
const MAX_ALIASES = 1_000;
/** Values that merge keys may lead through, besides one for each character of the text. */
const MAX_MERGED = 10_000;

/** One document, read. */
export interface YamlReading {
  /** Plain JSON values; undefined where the text holds none. */
  readonly value: unknown;
  /**
   * Where in the text stands what other readers may take for something else; null where nothing
   * does.
   */
  readonly ambiguity: number | null;
}

/** What is said of {@link YamlReading.ambiguity}. */
export const AMBIGUOUS =
  "YAML readers disagree on what stands here: write texts in quotes, and plain keys and values";

/** The parser's events of `text`: where every value stands. Throws `YamlError`. */
export function readEvents(text: string): YamlEvents {
  try {
    return parseEvents(text, { maxDepth: MAX_DEPTH });
  } catch (error) {
    throw explainYaml(error, text);
  }
}

/**
 * The one document in `text`: YAML 1.2 core schema and merge keys (`<<`, which v1alpha1 projects
 * may use). Bounded in depth, aliases and what they expand to. Throws `YamlError`.
 */
export function readYaml(text: string): YamlReading {
  const events = readEvents(text);
  refuseCostlyMerge(text, events);
  let documents: unknown[];
  try {
    const options = { source: text, schema: YAML_SCHEMA, maxAliases: MAX_ALIASES };
    documents = constructFromEvents(events, options);
  } catch (error) {
    throw explainYaml(error, text);
  }
  if (documents.length > 1) {
    const offset = text.indexOf("\n---", firstContent(events)) + 1;
    throw new YamlError("several-documents", "one file holds one document: take out ---", offset);
  }
  const [root] = documents;
  const hasAliases = text.includes("*") && events.some((event) => event.type === EVENT_ID.ALIAS);
  return { value: hasAliases ? writtenOut(root) : root, ambiguity: ambiguityOf(text, events) };
}

function refuseCostlyMerge(text: string, events: YamlEvents): void {
  if (!text.includes("<<")) return;
  const most = MAX_MERGED + text.length;
  const offset = costlyMerge(text, events, most);
  if (offset === null) return;
  const message = `its merge keys (<<) expand to more than ${most} values: write out what is meant`;
  throw new YamlError("yaml-bomb", message, offset);
}

function firstContent(events: YamlEvents): number {
  for (const event of events) {
    if ("valueStart" in event) return event.valueStart;
  }
  return 0;
}
