/**
 * Control characters, Unicode's line separators, and the marks that turn the direction of writing
 * around.
 */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Shows as escapes what a terminal or a reader could take for something else than text, line ends
 * included: what others wrote can neither steer a terminal nor forge a line. `kept`: characters
 * that stay.
 */
export function escapeControls(text: string, kept = ""): string {
  return text.replace(CONTROLS, (found) => {
    if (kept.includes(found)) return found;
    return SHORT[found] ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
