import { distance } from "fastest-levenshtein";

/** The candidate that `word` was probably meant to be; undefined where none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(word.length < 4 ? 1 : 2, Math.floor(word.length * 0.4)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const steps = distance(word.toLowerCase(), candidate.toLowerCase());
    if (steps < bestDistance) {
      best = candidate;
      bestDistance = steps;
    }
  }
  return best;
}

/** `: did you mean "x"?`, or what there is to choose from. */
export function suggestion(word: string, candidates: readonly string[], what: string): string {
  const near = nearest(word, candidates);
  if (near !== undefined) return `: did you mean "${near}"?`;
  if (candidates.length === 0) return `: there are no ${what}`;
  const shown = candidates.slice(0, 8).join(", ");
  return `; ${what}: ${shown}${candidates.length > 8 ? `, and ${candidates.length - 8} more` : ""}`;
}
