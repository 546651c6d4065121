import fc from "fast-check";

/*
 * Filters as EventBridge has them, and events, of few keys and values, so that they meet.
 */

const key = fc.constantFrom("a", "b", "c");
const text = fc.constantFrom("x", "xy", "Xy", "y", "", "xyx", "null", "1", "straße", "STRASSE");
const number = fc.constantFrom(0, 1, -1, 2.5, 300, 4_999_999);
const scalar = fc.oneof(text, number, fc.constantFrom<unknown>(true, false, null));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.constantFrom("10.0.0.7", "10.0.1.7", "::ffff:10.0.0.7", "fd00::1", "10.0.0"),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3 }),
  ),
}));
const texts = fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 2 }));
const wildcard = fc.constantFrom("*", "x*", "*y", "x*x", "*x*y*", "x\\*", "xy", "");
const element = fc.oneof(
  scalar,
  fc.boolean().map((exists) => ({ exists })),
  fc
    .oneof(
      text,
      text.map((one) => ({ "equals-ignore-case": one })),
    )
    .map((prefix) => ({ prefix })),
  fc
    .oneof(
      text,
      text.map((one) => ({ "equals-ignore-case": one })),
    )
    .map((suffix) => ({ suffix })),
  text.map((one) => ({ "equals-ignore-case": one })),
  wildcard.map((one) => ({ wildcard: one })),
  fc
    .oneof(
      texts,
      number,
      fc.array(number, { minLength: 1, maxLength: 2 }),
      texts.map((prefix) => ({ prefix })),
      texts.map((suffix) => ({ suffix })),
      texts.map((one) => ({ "equals-ignore-case": one })),
      fc.oneof(wildcard, fc.array(wildcard, { minLength: 1 })).map((one) => ({ wildcard: one })),
    )
    .map((one) => ({ "anything-but": one })),
  fc
    .constantFrom<unknown[]>(
      [">", 0],
      ["<=", 1],
      ["=", 300],
      [">", 0, "<", 300],
      [">=", -1, "<=", 2.5],
    )
    .map((numeric) => ({ numeric })),
  fc.constantFrom("10.0.0.0/24", "10.0.0.9/8", "fd00::/8").map((cidr) => ({ cidr })),
);
const elements = fc.array(element, { minLength: 1, maxLength: 2 });
const paths = fc.array(key, { minLength: 1, maxLength: 2 }).map((keys) => keys.join("."));
const entries = fc.dictionary(paths, elements, { minKeys: 1, maxKeys: 3 });
export const anyFilter = fc.oneof(
  { arbitrary: entries, weight: 4 },
  {
    arbitrary: fc
      .tuple(entries, entries, entries, entries, entries)
      .map(([all, one, other, inner, last]) => ({
        ...all,
        $or: [one, { ...other, $or: [inner, last] }],
      })),
    weight: 1,
  },
);

export const anyEvent = fc.dictionary(key, value, { minKeys: 1, maxKeys: 3 });

/** `{ "a.b": [1] }` → `{ a: { b: [1] } }`; undefined where one path is the beginning of another. */
export function nested(flat: Record<string, unknown>): Record<string, unknown> | undefined {
  const root: Record<string, unknown> = {};
  for (const [dotted, wanted] of Object.entries(flat)) {
    if (dotted === "$or") {
      const branches = (wanted as Record<string, unknown>[]).map(nested);
      if (branches.includes(undefined)) return undefined;
      root.$or = branches;
      continue;
    }
    const steps = dotted.split(".");
    let node = root;
    for (const step of steps.slice(0, -1)) {
      node[step] ??= {};
      if (Array.isArray(node[step])) return undefined;
      node = node[step] as Record<string, unknown>;
    }
    const last = steps.at(-1) ?? "";
    if (node[last] !== undefined) return undefined;
    node[last] = wanted;
  }
  return root;
}

/**
 * event-ruler lets a branch of $or replace what stands beside it under the same key; we want both
 * to hold.
 */
export function repeats(
  { $or = [], ...all }: Record<string, unknown>,
  above: readonly string[] = [],
): boolean {
  const keys = Object.keys(all);
  if (keys.some((at) => above.includes(at))) return true;
  return ($or as Record<string, unknown>[]).some((branch) => repeats(branch, [...above, ...keys]));
}

/** Our events hold what others send under `payload`. */
export function underPayload(filter: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(filter).map(([path, wanted]) =>
      path === "$or"
        ? [path, (wanted as Record<string, unknown>[]).map(underPayload)]
        : [`payload.${path}`, wanted],
    ),
  );
}
