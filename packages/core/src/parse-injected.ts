import { EVENT_TYPES, type EventDraft, OrgLoopError } from "@orgloop/sdk";

/** An event from outside a source: it says itself where it comes from. */
export interface InjectedDraft extends EventDraft {
  readonly source: string;
}

const ID = /^evt_[a-zA-Z0-9]+$/;
const TRACE_ID = /^trc_[a-zA-Z0-9]+$/;

/** Events as people write them: one JSON event, a JSON list of them, or JSON Lines. Throws `INVALID_EVENTS`, naming the event. */
export function parseInjected(text: string): readonly InjectedDraft[] {
  const drafts = parseEvents(text).map(draftOf);
  if (drafts.length === 0) throw invalid("no event was given");
  return drafts;
}

function invalid(message: string, cause?: unknown): OrgLoopError {
  return new OrgLoopError("INVALID_EVENTS", message, { cause });
}

function parseEvents(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [value];
  } catch {
    return text.split("\n").flatMap((line, at) => {
      if (line.trim() === "") return [];
      try {
        return [JSON.parse(line) as unknown];
      } catch (cause) {
        throw invalid(`line ${at + 1} is no JSON`, cause);
      }
    });
  }
}

function draftOf(value: unknown, at: number): InjectedDraft {
  const where = `event ${at + 1}`;
  if (!isObject(value)) throw invalid(`${where}: expected an object`);
  const { id, timestamp, source, type, provenance, payload, trace_id, ordering_key } = value;
  if (typeof source !== "string" || source === "") throw invalid(`${where}: source is missing`);
  const optional = <T>(name: string, found: unknown, holds: (found: unknown) => boolean) => {
    if (found === undefined) return undefined;
    if (!holds(found)) throw invalid(`${where}: ${name} is not valid`);
    return found as T;
  };
  const platform = isObject(provenance) ? provenance.platform : undefined;
  const draft = {
    id: optional<string>("id", id, (it) => typeof it === "string" && ID.test(it)),
    timestamp: isoOf(optional<string>("timestamp", timestamp, isTime)),
    type: optional<InjectedDraft["type"]>("type", type, (it) =>
      (EVENT_TYPES as readonly unknown[]).includes(it),
    ),
    trace_id: optional<string>(
      "trace_id",
      trace_id,
      (it) => typeof it === "string" && TRACE_ID.test(it),
    ),
    ordering_key: optional<string>("ordering_key", ordering_key, (it) => typeof it === "string"),
  };
  return {
    ...(Object.fromEntries(
      Object.entries(draft).filter(([, found]) => found !== undefined),
    ) as Partial<InjectedDraft>),
    source,
    provenance: {
      ...optional<object>("provenance", provenance, isObject),
      platform: typeof platform === "string" ? platform : "inject",
    },
    payload: optional<Record<string, unknown>>("payload", payload, isObject) ?? {},
  };
}

function isoOf(timestamp: string | undefined): string | undefined {
  return timestamp === undefined ? undefined : new Date(timestamp).toISOString();
}

function isTime(value: unknown): boolean {
  return typeof value === "string" && !Number.isNaN(Date.parse(value));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
