import { DEAD_REASONS, type DeadLetterSummary, type DeadReason, OrgLoopError } from "@orgloop/sdk";

/** Which dead letters are meant; an absent key lets all through. */
export interface DeadLetterFilter {
  readonly ids?: readonly string[];
  readonly route?: string;
  readonly actor?: string;
  readonly reason?: DeadReason;
  /** ISO 8601: when the last attempt was, both inclusive. */
  readonly since?: string;
  readonly until?: string;
}

/** Which letters a filter lets through. */
export function letterSelection({
  ids,
  route,
  actor,
  reason,
  since,
  until,
}: DeadLetterFilter): (letter: DeadLetterSummary) => boolean {
  const wanted = ids === undefined ? null : new Set(ids);
  const from = since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since);
  const to = until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until);
  return (letter) => {
    const at = Date.parse(letter.last_at);
    return (
      (wanted === null || wanted.has(letter.id)) &&
      (route === undefined || letter.route === route) &&
      (actor === undefined || letter.actor === actor) &&
      (reason === undefined || letter.reason === reason) &&
      at >= from &&
      at <= to
    );
  };
}

/**
 * A filter from outside: a query or a JSON object. Other keys are ignored. Throws `INVALID_FILTER`.
 */
export function parseLetterFilter(value: Readonly<Record<string, unknown>>): DeadLetterFilter {
  const { ids, reason } = value;
  if (ids !== undefined && !(Array.isArray(ids) && ids.every((id) => typeof id === "string"))) {
    throw invalid("ids", ids, "a list of ids");
  }
  if (reason !== undefined && !(DEAD_REASONS as readonly unknown[]).includes(reason)) {
    throw invalid("reason", reason, `one of ${DEAD_REASONS.join(", ")}`);
  }
  return {
    ...(ids !== undefined && { ids: ids as readonly string[] }),
    ...(reason !== undefined && { reason: reason as DeadReason }),
    ...textOf(value, "route"),
    ...textOf(value, "actor"),
    ...timeOf(value, "since"),
    ...timeOf(value, "until"),
  };
}

/** `{ key: text }`, or nothing where the key is absent. Throws `INVALID_FILTER`. */
export function textOf<Key extends string>(
  value: Readonly<Record<string, unknown>>,
  key: Key,
): { readonly [K in Key]?: string } {
  const found = value[key];
  if (found === undefined) return {};
  if (typeof found !== "string") throw invalid(key, found, "a text");
  return { [key]: found } as { [K in Key]: string };
}

/** The same for a time. */
export function timeOf<Key extends string>(
  value: Readonly<Record<string, unknown>>,
  key: Key,
): { readonly [K in Key]?: string } {
  const found = textOf(value, key);
  const text = found[key];
  if (text !== undefined && Number.isNaN(Date.parse(text))) {
    throw invalid(key, text, "a time in ISO 8601");
  }
  return found;
}

function invalid(key: string, found: unknown, expected: string): OrgLoopError {
  const message = `${key}: found ${JSON.stringify(found)}, expected ${expected}`;
  return new OrgLoopError("INVALID_FILTER", message);
}
