import type { OrgLoopEvent } from "@orgloop/sdk";
import fc from "fast-check";

/*
 * Filters and payloads of few keys and values, so that they meet: every operator in every form, and
 * lists in lists.
 */

const key = fc.constantFrom("a", "b", "c", "0", "1");
const text = fc.constantFrom(
  "x",
  "xy",
  "Xy",
  "y",
  "",
  "xyx",
  "yxyx",
  "null",
  "1",
  "straße",
  "STRASSE",
);
const number = fc.constantFrom(0, 1, -1, 2.5, 300);
const scalar = fc.oneof(
  { arbitrary: text, weight: 3 },
  number,
  fc.constantFrom<unknown>(true, false, null),
);
const address = fc.constantFrom("10.0.0.7", "10.0.1.7", "::ffff:10.0.0.7", "fd00::1", "10.0.0");

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalar,
    address,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3 }),
  ),
}));

export const anyPayload = fc.dictionary(key, value, { maxKeys: 4 });

const texts = fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 2 }));
const wildcard = fc.constantFrom("*", "x*", "*y", "x*x", "*x*y*", "*xy*", "x\\*", "xy", "");
const blind = text.map((one) => ({ "equals-ignore-case": one }));
const but = fc.oneof(
  texts,
  number,
  fc.array(number, { minLength: 1, maxLength: 2 }),
  texts.map((prefix) => ({ prefix })),
  texts.map((suffix) => ({ suffix })),
  texts.map((one) => ({ "equals-ignore-case": one })),
  fc.oneof(wildcard, fc.array(wildcard, { minLength: 1 })).map((one) => ({ wildcard: one })),
);
const range = fc.constantFrom<unknown[]>(
  ...[
    [">", 0],
    ["<=", 1],
    ["=", 300],
    [">", 0, "<", 300],
  ],
  ...[
    [">=", -1, "<=", 2.5],
    ["!=", 1],
    [">", 300, "<", 1],
    [">=", 1, "<=", 1],
  ],
);

const element = fc.oneof(
  { arbitrary: scalar, weight: 3 },
  fc.boolean().map((exists) => ({ exists })),
  fc.oneof(text, blind).map((prefix) => ({ prefix })),
  fc.oneof(text, blind).map((suffix) => ({ suffix })),
  blind,
  wildcard.map((one) => ({ wildcard: one })),
  but.map((one) => ({ "anything-but": one })),
  range.map((numeric) => ({ numeric })),
  fc.constantFrom("10.0.0.0/24", "10.0.0.9/8", "fd00::/8").map((cidr) => ({ cidr })),
);
const wanted = fc.oneof(
  { arbitrary: fc.array(element, { minLength: 1, maxLength: 3 }), weight: 4 },
  scalar,
);
const path = fc
  .array(key, { minLength: 1, maxLength: 3 })
  .map((keys) => `payload.${keys.join(".")}`);
const entries = fc.dictionary(path, wanted, { maxKeys: 3 });

export const anyFilter = fc.oneof(
  { arbitrary: entries, weight: 3 },
  fc
    .tuple(entries, entries, entries, entries)
    .map(([all, one, other, inner]) => ({ ...all, $or: [one, { ...other, $or: [inner, one] }] })),
);

export const eventOf = (payload: unknown, fields: Partial<OrgLoopEvent> = {}): OrgLoopEvent => ({
  id: "evt_1",
  timestamp: "2026-11-01T00:00:00Z",
  source: "s0",
  type: "resource.changed",
  provenance: { platform: "test" },
  trace_id: "trc_1",
  ...fields,
  payload: payload as OrgLoopEvent["payload"],
});
