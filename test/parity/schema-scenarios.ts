import { event, route, type Scenario, sent } from "./scenario.ts";

const schemaOf = (schema: object) => ({
  file: "schemas/n.json",
  text: JSON.stringify(schema),
});
const NUMBERED = schemaOf({ required: ["n"], properties: { n: { type: "integer", minimum: 1 } } });

const opened = (id: string, payload: Readonly<Record<string, unknown>>) => ({
  ...sent(id, "k", payload),
  provenance: { platform: "test", platform_event: "opened" },
});

/** What does not fit its source's schema (`docs/configuration.md`, Schemas). */
export const SCHEMAS: readonly Scenario[] = [
  {
    name: "schemas: what does not fit is a dead letter, the rest of its request is routed",
    routes: [route("a"), route("b")],
    source: { schemas: { "resource.changed": NUMBERED } },
    steps: [
      {
        atMs: 0,
        send: [sent("e1", "k", { n: 1 }), sent("e2", "k", { n: 0 }), sent("e3", "k", { n: 3 })],
      },
      { atMs: 1_000, send: [sent("e4"), sent("e5", "k", { n: "5" })] },
    ],
    expect: {
      lanes: { "a k": "e1 e3", "b k": "e1 e3" },
      letters: ["e2  invalid 0", "e4  invalid 0", "e5  invalid 0"],
    },
  },
  {
    name: "schemas: the platform's event has its own before its type's",
    routes: [route("a")],
    source: { schemas: { opened: schemaOf({ required: ["id"] }), "resource.changed": NUMBERED } },
    steps: [
      {
        atMs: 0,
        send: [opened("e1", { id: 1 }), opened("e2", { n: 1 }), sent("e3", "k", { n: 1 })],
      },
    ],
    expect: { lanes: { "a k": "e1 e3" }, letters: ["e2  invalid 0"] },
  },
  {
    name: "schemas: an id that did not fit is no repeat, and the same body twice is one letter",
    routes: [route("a")],
    source: { schemas: { "resource.changed": NUMBERED } },
    steps: [
      { atMs: 0, send: [sent("e1", "k", { n: 0 })], times: 2 },
      { atMs: 1_000, send: [sent("e1", "k", { n: -1 })] },
      { atMs: 2_000, send: [sent("e1", "k", { n: 1 })] },
      { atMs: 3_000, send: [sent("e1", "k", { n: 1 })] },
    ],
    expect: { lanes: { "a k": "e1", repeats: "e1" }, letters: ["e1  invalid 0", "e1  invalid 0"] },
  },
  {
    name: "schemas: what somebody injects is not checked",
    routes: [route("a")],
    source: { schemas: { "resource.changed": NUMBERED } },
    steps: [{ atMs: 0, emit: [event("e1", "k", { n: 0 })] }],
    expect: { lanes: { "a k": "e1" }, letters: [] },
  },
];
