import { checkEvent, type EventDraft, type InjectedEvent, OrgLoopError } from "@orgloop/sdk";

/** An event from outside a source: it says itself where it comes from. */
export interface InjectedDraft extends EventDraft {
  readonly source: string;
}

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
