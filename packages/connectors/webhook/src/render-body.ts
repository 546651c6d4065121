import { OrgLoopError } from "@orgloop/sdk";
import { valueAtPath } from "./value-at-path.ts";

/** What the placeholders of a body see: `{{event.payload.title}}`, `{{launch_prompt}}`. */
export interface BodyValues {
  readonly event: unknown;
  /** Undefined where the route has no prompt file. */
  readonly launch_prompt: string | undefined;
}

const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;
const ONLY_PLACEHOLDER = /^\{\{([^{}]*)\}\}$/;

/**
 * Compiles a body template. Placeholders are filled in *parsed* values, so that no value can break out of its place; a string
 * that is nothing but one placeholder takes the value's type; what is missing becomes an empty string (v1alpha1, section 7).
 * A text template is parsed as JSON first, unless `json` is false: then values go in as they are, objects as JSON.
 * Throws `INVALID_CONFIG` for a text template that is not JSON.
 */
export function bodyRenderer(template: unknown, json: boolean): (values: BodyValues) => string {
  if (template === undefined) return (values) => JSON.stringify(values);
  if (typeof template !== "string") return (values) => JSON.stringify(fill(template, values));
  if (!json) return (values) => fillText(template, values);
  const parsed = parseTemplate(template);
  return (values) => JSON.stringify(fill(parsed, values));
}

function parseTemplate(template: string): unknown {
  try {
    return JSON.parse(template);
  } catch (cause) {
    throw new OrgLoopError(
      "INVALID_CONFIG",
      'body_template: not JSON. Write placeholders inside strings ("{{event.payload}}" keeps its type), or set another content-type header',
      { cause },
    );
  }
}

function fill(template: unknown, values: BodyValues): unknown {
  if (typeof template === "string") {
    const path = ONLY_PLACEHOLDER.exec(template)?.[1];
    if (path !== undefined) return valueAtPath(values, path.trim()) ?? "";
    return fillText(template, values);
  }
  if (Array.isArray(template)) return template.map((item) => fill(item, values));
  if (typeof template !== "object" || template === null) return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, value]) => [key, fill(value, values)]),
  );
}

function fillText(template: string, values: BodyValues): string {
  return template.replace(PLACEHOLDER, (_, path: string) => {
    const value = valueAtPath(values, path.trim()) ?? "";
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  });
}
