import { distance } from "fastest-levenshtein";

/** `: did you mean "x"?`, or the names there are; for the end of a sentence. */
export function nearestName(wanted: string, names: readonly string[]): string {
  if (names.length === 0) return ": there are none";
  const [best] = names
    .map((name) => ({ name, steps: distance(wanted.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.steps - b.steps);
  if (best !== undefined && best.steps <= Math.max(1, Math.floor(wanted.length * 0.4))) {
    return `: did you mean "${best.name}"?`;
  }
  const shown = names.slice(0, 8).join(", ");
  return `; there are: ${shown}${names.length > 8 ? `, and ${names.length - 8} more` : ""}`;
}
