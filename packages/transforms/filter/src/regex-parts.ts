/** `/body/flags` taken apart. */
export interface RegexParts {
  readonly body: string;
  readonly flags: string;
}

/**
 * Undefined where the text is no regular expression but a literal: no slashes around it, or flags
 * that JavaScript has not.
 */
export function regexParts(text: string): RegexParts | undefined {
  const [, body, flags] = /^\/(.*)\/([dgimsuvy]*)$/s.exec(text) ?? [];
  if (body === undefined || flags === undefined) return undefined;
  return new Set(flags).size === flags.length ? { body, flags } : undefined;
}
