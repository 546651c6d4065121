import { dirname } from "node:path";
import { type DocumentPath, suggestion, valueAt } from "@orgloop/engine";
import {
  isMapping,
  messageOf,
  type OrgLoopEvent,
  parseJson,
  type SourceSpec,
  setPath,
  splitPath,
} from "@orgloop/sdk";
import type { ProjectFiles } from "../read/project-files.ts";
import { FORBIDDEN_KEYS } from "../read/yaml/forbidden-keys.ts";
import type { Findings } from "../resolve/findings.ts";
import type { SourceDocument } from "../resolve/source-document.ts";
import type { GivenInput } from "../schema/test-schema.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What the events of a test file are made of. */
export interface EventMaker {
  readonly document: SourceDocument;
  readonly files: ProjectFiles;
  readonly findings: Findings;
}

/** Over `base`, mappings deeply. */
function merged(base: unknown, over: unknown): unknown {
  if (!isMapping(base) || !isMapping(over)) return over;
  const all: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    all[key] = Object.hasOwn(base, key) ? merged(base[key], value) : value;
  }
  return all;
}

/**
 * A step's event as far as the file says it; undefined, and reported, where it begins as something
 * that is not there.
 */
export function writtenEvent(
  { document, files, findings }: EventMaker,
  given: GivenInput,
  path: DocumentPath,
  trail: readonly string[] = [],
): Fields | undefined {
  const report = (code: string, message: string, at: DocumentPath) => {
    findings.errors.push({ document, path: at, at: "value", code, message });
    return undefined;
  };
  const own: Fields = typeof given === "string" ? { from: given } : given;
  const from = own.from;
  const place = typeof given === "string" ? path : [...path, "from"];
  let base: Fields | undefined = {};
  if (typeof from === "string") {
    const events = valueAt(document.value, ["events"]);
    const names = isMapping(events) ? Object.keys(events) : [];
    if (trail.includes(from)) {
      return report(
        "event-circle",
        `events begin as each other: ${[...trail, from].join(" → ")}`,
        place,
      );
    }
    if (names.includes(from)) {
      const named = valueAt(events, [from]) as GivenInput;
      base = writtenEvent({ document, files, findings }, named, ["events", from], [...trail, from]);
    } else if (from.endsWith(".json")) {
      try {
        base = readEvent(files, from, dirname(document.absolute));
      } catch (error) {
        return report("file", messageOf(error), place);
      }
    } else {
      const hint = suggestion(from, names, "events");
      return report("unknown-reference", `there is no event "${from}"${hint}`, place);
    }
  }
  if (base === undefined) return undefined;
  let event: unknown = base;
  for (const [key, value] of Object.entries(own)) {
    if (key === "from" || value === undefined) continue;
    event = key.includes(".")
      ? setPath(event, splitPath(key), value)
      : { ...(event as Fields), [key]: merged((event as Fields)[key], value) };
  }
  return event as Fields;
}

/** One event in a JSON file. Throws in words for the one who named it. */
function readEvent(files: ProjectFiles, written: string, beside: string): Fields {
  const absolute = files.find(written, [beside, files.root]);
  const value = parseJson(files.read(absolute));
  const key = forbiddenKey(value);
  if (key !== undefined) throw new Error(`${written}: the key "${key}" is not allowed`);
  if (isMapping(value)) return value;
  throw new Error(`${written} holds no event: expected one JSON object`);
}

function forbiddenKey(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const found = FORBIDDEN_KEYS.has(key) ? key : forbiddenKey(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What fills an event up. */
export interface EventDefaults {
  readonly sources: readonly SourceSpec[];
  /** The full name of what the file calls so; undefined where there is none. */
  readonly sourceNamed: (name: string) => string | undefined;
  readonly project: string;
  /** Ms since the epoch. */
  readonly atMs: number;
  /** Letters and digits, another for every event. */
  readonly id: string;
}

/**
 * The event of a step. Each is an occurrence of its own: an id counts only where the step itself
 * says it, so that an event that comes twice is not the same event seen twice. Undefined, and
 * reported, where its source is not known.
 */
export function testEvent(
  maker: EventMaker,
  given: GivenInput,
  path: DocumentPath,
  defaults: EventDefaults,
): OrgLoopEvent | undefined {
  const written = writtenEvent(maker, given, path);
  if (written === undefined) return undefined;
  const own: Fields = typeof given === "string" ? {} : given;
  const source = sourceOf(maker, written, own, path, defaults);
  if (source === undefined) return undefined;
  const { type, timestamp, provenance, payload, ordering_key } = written as Partial<OrgLoopEvent>;
  return {
    id: String(own.id ?? `evt_${defaults.id}`),
    timestamp: timestamp ?? new Date(defaults.atMs).toISOString(),
    source,
    type: type ?? "resource.changed",
    provenance: { platform: "test", ...provenance },
    payload: payload ?? {},
    trace_id: String(own.trace_id ?? `trc_${defaults.id}`),
    ...(ordering_key !== undefined && { ordering_key }),
    module: defaults.project,
  };
}

function sourceOf(
  { document, findings }: EventMaker,
  written: Fields,
  own: Fields,
  path: DocumentPath,
  { sources, sourceNamed }: EventDefaults,
): string | undefined {
  const ids = sources.map(({ id }) => id);
  if (typeof written.source !== "string" && ids.length === 1) return ids[0];
  const known = sourceNamed(String(written.source));
  if (known !== undefined) return known;
  const at = own.source === undefined ? path : [...path, "source"];
  const message =
    written.source === undefined
      ? `"source" is missing: there are several; sources: ${ids.slice(0, 8).join(", ")}`
      : `there is no source "${written.source}"${suggestion(String(written.source), ids, "sources")}`;
  findings.errors.push({ document, path: at, at: "value", code: "unknown-reference", message });
  return undefined;
}
