import { getPath, type OrgLoopEvent, splitPath } from "@orgloop/sdk";

const PLACEHOLDER = /\{\{\s*([^{}\s]+)\s*\}\}/g;

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/**
 * `then.config` for one event: `{{dot.path}}` in its top-level strings is filled in from the event, with nothing where the path
 * leads nowhere; nested values stay as they are (v1alpha1, section 4).
 */
export function interpolate(
  config: Readonly<Record<string, unknown>>,
  event: OrgLoopEvent,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "string" && value.includes("{{")
        ? value.replace(PLACEHOLDER, (_, path: string) => textOf(getPath(event, splitPath(path))))
        : value,
    ]),
  );
}
