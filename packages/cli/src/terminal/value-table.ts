import type { ValueOrigin } from "@orgloop/config";
import type { PlacedValue } from "../project/item-values.ts";
import { textTable } from "./text-table.ts";

/** Values and where each was written, under `heading`. */
export function valueTable(
  values: readonly PlacedValue[],
  heading: readonly string[] = ["PATH", "VALUE", "FROM"],
): string {
  return textTable(
    heading,
    values.map(({ path, value, origin, cause }) => [
      path,
      shortValue(value),
      `${placeOf(origin)}${cause ? ` (${cause})` : ""}`,
    ]),
  );
}

/** `file:line:column`, or that it is a built-in default. */
export function placeOf(origin: Pick<ValueOrigin, "file" | "line" | "column"> | null): string {
  return origin === null ? "(default)" : `${origin.file}:${origin.line}:${origin.column}`;
}

/** A value as JSON on one line, cut at `limit` characters. */
export function shortValue(value: unknown, limit = 60): string {
  const text = JSON.stringify(value) ?? "(none)";
  return text.length > limit ? `${text.slice(0, limit - 3)}...` : text;
}
