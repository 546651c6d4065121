import type { LogEntry } from "@orgloop/sdk";
import type { Style } from "./output.ts";

const ERRORS = new Set([
  "deliver.failure",
  "deliver.dead_letter",
  "transform.error_halt",
  "system.error",
  "module.error",
  "loop.circuit_broken",
]);
const WARNINGS = new Set([
  "transform.error",
  "transform.error_drop",
  "source.error",
  "source.refused",
  "source.circuit_open",
  "deliver.retry",
  "pipeline.backpressure",
  "circuit.open",
  "loop.detected",
]);

/** The line of the console logger (v1alpha1, section 8): `HH:MM:SS.mmm icon phase src= tgt= route= …`, local time. */
export function logLine(entry: LogEntry, style: (style: Style, text: string) => string): string {
  const severity = severityOf(entry.phase);
  const fields: [string, unknown][] = [
    ["src", entry.source],
    ["tgt", entry.target],
    ["route", entry.route],
    ["xform", entry.transform],
    ["type", entry.event_type],
    ["result", entry.result],
    ["attempt", entry.attempt],
    ["evt", entry.event_id],
  ];
  return [
    style("dim", localTime(entry.timestamp)),
    style(severity.color, `${severity.icon} ${entry.phase}`),
    ...fields
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${onOneLine(String(value))}`),
    ...(entry.duration_ms === undefined ? [] : [`${Math.round(entry.duration_ms)}ms`]),
    ...(entry.error === undefined ? [] : [style(severity.color, `err=${onOneLine(entry.error)}`)]),
  ].join(" ");
}

function severityOf(phase: string): { readonly icon: string; readonly color: Style } {
  if (ERRORS.has(phase)) return { icon: "✗", color: "red" };
  if (WARNINGS.has(phase)) return { icon: "!", color: "yellow" };
  if (phase === "deliver.success") return { icon: "✓", color: "green" };
  return { icon: "•", color: "cyan" };
}

/** Event data must not forge lines or steer the terminal: control characters and marks of direction are escaped. */
function onOneLine(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function localTime(timestamp: string): string {
  const time = new Date(timestamp);
  if (Number.isNaN(time.getTime())) return onOneLine(timestamp);
  const two = (value: number) => String(value).padStart(2, "0");
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${clock}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}
