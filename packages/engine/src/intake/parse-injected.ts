import {
  checkEvent,
  decodeUtf8,
  type EventDraft,
  hasCode,
  type InjectedEvent,
  messageOf,
  OrgLoopError,
  parseJson,
} from "@orgloop/sdk";

/** An event from outside a source: it says itself where it comes from. */
export interface InjectedDraft extends EventDraft {
  readonly source: string;
}

/**
 * Events as people write them: one JSON event, a JSON list of them, or JSON Lines. Throws
 * `INVALID_EVENTS`, naming the event, and `NUMBER_OUT_OF_RANGE`.
 */
export function parseInjected(given: string | Uint8Array): readonly InjectedDraft[] {
  const drafts = parseEvents(textOf(given)).map(draftOf);
  if (drafts.length === 0) throw invalid("no event was given");
  return drafts;
}

const OUT_OF_RANGE = "NUMBER_OUT_OF_RANGE";

function invalid(message: string, cause?: unknown): OrgLoopError {
  return new OrgLoopError("INVALID_EVENTS", message, { cause });
}

function textOf(given: string | Uint8Array): string {
  try {
    return typeof given === "string" ? given : decodeUtf8(given);
  } catch (cause) {
    throw invalid(messageOf(cause), cause);
  }
}

function parseEvents(text: string): readonly unknown[] {
  try {
    const value: unknown = parseJson(text);
    return Array.isArray(value) ? value : [value];
  } catch (error) {
    if (hasCode(error, OUT_OF_RANGE)) throw error;
    return text.split("\n").flatMap((line, at) => {
      if (line.trim() === "") return [];
      try {
        return [parseJson(line)];
      } catch (cause) {
        if (!hasCode(cause, OUT_OF_RANGE)) throw invalid(`line ${at + 1} is no JSON`, cause);
        throw new OrgLoopError(OUT_OF_RANGE, `line ${at + 1}: ${cause.message}`, { cause });
      }
    });
  }
}

function draftOf(value: unknown, at: number): InjectedDraft {
  const wrong = checkEvent(value);
  if (wrong !== null) throw invalid(`event ${at + 1}: ${wrong}`);
  const { id, timestamp, source, type, trace_id, ordering_key } = value as InjectedEvent;
  const { provenance, payload = {} } = value as InjectedEvent;
  const platform: unknown = provenance?.platform;
  return {
    ...(id !== undefined && { id }),
    ...(timestamp !== undefined && { timestamp: new Date(timestamp).toISOString() }),
    ...(type !== undefined && { type }),
    ...(trace_id !== undefined && { trace_id }),
    ...(ordering_key !== undefined && { ordering_key }),
    source,
    provenance: { ...provenance, platform: typeof platform === "string" ? platform : "inject" },
    payload,
  };
}
