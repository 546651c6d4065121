import type { Prompt } from "../actor.ts";
import type { OrgLoopEvent } from "../event.ts";
import { getPath } from "../values/path.ts";
import type { Placeholder, Template } from "./template.ts";

/** The keys of an event, which are roots of every path: of templates, filters and ordering keys. */
export const EVENT_ROOTS = [
  "id",
  "timestamp",
  "source",
  "type",
  "provenance",
  "payload",
  "trace_id",
  "ordering_key",
  "module",
  "replay",
] as const satisfies readonly (keyof OrgLoopEvent)[];

/**
 * The roots that a template has besides an event's own keys (`docs/configuration.md`, Templates).
 */
export const TEMPLATE_ROOTS = [
  "event",
  "config",
  "prompt",
  "launch_prompt",
  "coalesced",
  "route",
] as const;

/** What placeholders are filled from. A delivery's context, together with the event, is one. */
export interface TemplateValues {
  readonly event: OrgLoopEvent;
  readonly route: string;
  /** `then.config`, filled in; absent in `then.config` itself. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /**
   * `{{prompt}}` and `{{launch_prompt}}` are its text; `{{prompt.file}}` and `{{prompt.meta.…}}`
   * what else is known of it.
   */
  readonly prompt?: Prompt | undefined;
  /** Ids of the events that were merged into this one. */
  readonly coalesced?: readonly string[] | undefined;
  /** Counts a path that leads nowhere in this event. */
  readonly onMissing?: ((path: string) => void) | undefined;
}

/** The value of a placeholder, with its type; '' where there is none, which is counted. */
export function placeholderValue({ path, segments }: Placeholder, values: TemplateValues): unknown {
  const found = lookUp(segments, values);
  if (found === undefined) values.onMissing?.(path);
  return found ?? (found === null ? null : "");
}

/**
 * The template filled in: texts as they are, objects as JSON, null as nothing. `encode` is for
 * values, never for the text's own words.
 */
export function fillTemplate(
  { parts }: Template,
  values: TemplateValues,
  encode: (text: string) => string = (text) => text,
): string {
  let filled = "";
  for (const part of parts) {
    filled += typeof part === "string" ? part : encode(textOf(placeholderValue(part, values)));
  }
  return filled;
}

function lookUp(segments: readonly string[], values: TemplateValues): unknown {
  const { event, route, config, prompt, coalesced } = values;
  switch (segments[0]) {
    case "event":
      return getPath(event, segments.slice(1));
    case "config":
      return getPath(config, segments.slice(1));
    case "launch_prompt":
      return segments.length === 1 ? prompt?.text : undefined;
    case "prompt":
      return segments.length === 1 ? prompt?.text : getPath(prompt, segments.slice(1));
    case "coalesced":
      return getPath(coalesced, segments.slice(1));
    case "route":
      return segments.length === 1 ? route : undefined;
    default:
      return getPath(event, segments);
  }
}

function textOf(value: unknown): string {
  if (value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
