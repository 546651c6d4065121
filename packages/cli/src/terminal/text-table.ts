import { stripVTControlCharacters } from "node:util";

/** Rows under a heading, columns as wide as their widest cell, two spaces apart. */
export function textTable(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [heading, ...rows];
  const widths = heading.map((_, column) =>
    Math.max(...lines.map((line) => stripVTControlCharacters(line[column] ?? "").length)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => {
          const padding = (widths[column] ?? 0) - stripVTControlCharacters(cell).length;
          return cell + " ".repeat(padding);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
