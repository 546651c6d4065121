import type { LogEntry } from "../logger.ts";
import { escapeControls } from "../values/escape-controls.ts";
import { PHASE_STYLES, type PhaseColor } from "./phase-style.ts";

/** Colours a text, or returns it as it is. */
export type Paint = (color: PhaseColor, text: string) => string;

/**
 * An event's or letter's id as lines for people have it: its first eight characters, without `evt_`
 * or `dl_`. Commands take it where it is the beginning of one id alone.
 */
export const shortId = (id: string): string => withoutPrefix(id).slice(0, SHORT);

const SHORT = 8;

const withoutPrefix = (id: string): string => id.replace(/^(?:evt_|trc_|dl_(?:unfit)?)/, "");

/** Shorter beginnings are taken for whole ids: they would name anything. */
const SHORTEST = 4;

/** Whether an id is `given`, or begins with so much of one; its prefix may be left out. */
export function idBegins(id: string, given: string): boolean {
  if (id === given) return true;
  if (withoutPrefix(given).length < SHORTEST) return false;
  return id.startsWith(given) || withoutPrefix(id).startsWith(given);
}

/**
 * `HH:MM:SS.mmm icon phase src= tgt= route= xform= type= result= evt= Nms err=` (v1alpha1, section
 * 8, and the event's short id), in local time; `more` fields stand after `result`.
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
    ["evt", entry.event_id && shortId(entry.event_id)],
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
