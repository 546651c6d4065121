import type { LogEntry } from "../logger.ts";
import { escapeControls } from "../values/escape-controls.ts";
import { PHASE_STYLES, type PhaseColor } from "./phase-style.ts";

/** Colours a text, or returns it as it is. */
export type Paint = (color: PhaseColor, text: string) => string;

/**
 * `HH:MM:SS.mmm icon phase src= tgt= route= xform= type= result= Nms err=` (v1alpha1, section 8),
 * in local time; `more` fields stand after `result`.
 */
export function formatEntry(
  entry: LogEntry,
  paint: Paint,
  more: readonly (readonly [name: string, value: unknown])[] = [],
): string {
  const { icon, color } = PHASE_STYLES[entry.phase];
  const fields = [
    ["src", entry.source],
    ["tgt", entry.target],
    ["route", entry.route],
    ["xform", entry.transform],
    ["type", entry.event_type],
    ["result", entry.result],
    ...more,
  ] as const;
  return [
    paint("dim", timeOf(entry.timestamp)),
    paint(color, icon),
    paint(color, entry.phase),
    ...fields
      .filter(([, value]) => value !== undefined && value !== "")
      .map(([name, value]) => `${name}=${escapeControls(`${value}`)}`),
    ...(entry.duration_ms === undefined ? [] : [`${Math.round(entry.duration_ms)}ms`]),
    ...(entry.error ? [paint("red", `err=${escapeControls(entry.error)}`)] : []),
  ].join(" ");
}

/** The metadata, indented below its entry. */
export function formatMetadata(metadata: Readonly<Record<string, unknown>>, paint: Paint): string {
  const lines = JSON.stringify(metadata, null, 2).split("\n");
  return lines
    .map((line, index) =>
      paint("dim", `  ${index === 0 ? "metadata: " : ""}${escapeControls(line)}`),
    )
    .join("\n");
}

function timeOf(timestamp: string): string {
  const date = new Date(timestamp);
  if (Number.isNaN(date.getTime())) return escapeControls(timestamp);
  const two = (value: number) => String(value).padStart(2, "0");
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}
