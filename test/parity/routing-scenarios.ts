import { deepEqual } from "node:assert/strict";
import { lookup } from "node:dns";
import { type OrgLoopEvent, PermanentError, RetryAfterError, WrittenNumber } from "@orgloop/sdk";
import dedup from "@orgloop/transform-dedup";
import { event, route, type Scenario, sent } from "./scenario.ts";

const uses = (...refs: string[]) => ({ transforms: refs.map((ref) => ({ ref })) });
const when = (filter: Readonly<Record<string, unknown>>) => ({
  when: { source: ["s"], events: ["resource.changed" as const], filter },
});
const NO_LETTERS: readonly string[] = [];

/** Which events go where, and what becomes of one attempt. */
export const ROUTING: readonly Scenario[] = [
  {
    name: "fan-out: every matching route gets the event",
    routes: [route("a"), route("b"), route("c", {}, { actor: "other" })],
    steps: [{ atMs: 0, emit: [event("e1"), event("e2")] }],
    expect: { lanes: { "a k": "e1 e2", "b k": "e1 e2", "c k": "e1 e2" }, letters: NO_LETTERS },
  },
  {
    name: "two routes to one actor: neither swallows the other's delivery",
    routes: [route("a"), route("b")],
    steps: [{ atMs: 0, emit: [event("e1")] }],
    act: ({ route: name, attempt }) => {
      if (name === "a" && attempt === 1) throw new Error("once");
    },
    expect: { lanes: { "a k": "e1! e1", "b k": "e1" }, letters: NO_LETTERS },
  },
  {
    name: "filter: only what fits",
    routes: [
      route("big", {}, when({ "payload.size": [{ numeric: [">", 10] }] })),
      route("red", {}, when({ "payload.colour": "red" })),
    ],
    steps: [
      {
        atMs: 0,
        emit: [
          event("e1", "k", { size: 5, colour: "red" }),
          event("e2", "k", { size: 50, colour: "blue" }),
          event("e3", "k", {}),
        ],
      },
    ],
    expect: { lanes: { "big k": "e2", "red k": "e1" }, letters: NO_LETTERS },
  },
  {
    name: "numbers that no double holds come to the actor as they were written, after a crash and a replay too",
    routes: [
      route("plain", {}, when({ "payload.id": [{ numeric: [">", 12345678901234560000] }] })),
      route(
        "filled",
        {},
        { ...uses("same"), then: { actor: "agent", config: { id: "{{payload.id}}" } } },
      ),
    ],
    transforms: {
      same: () => ({ execute: async (one) => ({ ...one, payload: { ...one.payload } }) }),
    },
    act({ route: name, attempt, payload, config }) {
      deepEqual(
        JSON.stringify(payload),
        '{"id":12345678901234567890,"list":[1,-9007199254740993]}',
      );
      if (name === "filled") deepEqual(config?.id, "12345678901234567890");
      if (name === "filled" && attempt < 3) throw new Error("later");
    },
    steps: [
      {
        atMs: 0,
        emit: [
          event("e1", "k", {
            id: new WrittenNumber("12345678901234567890"),
            list: [1, new WrittenNumber("-9007199254740993")],
          }),
        ],
      },
      { atMs: 0, restart: true },
      { atMs: 600_000, replay: "e1" },
    ],
    by: "ends",
    expect: { lanes: { "plain k": "e1 e1r1", "filled k": "e1 e1r1" }, letters: NO_LETTERS },
  },
  {
    name: "transforms: pass, change, drop, fail and pass, fail and drop, fail and halt",
    routes: [
      route("pass", {}, uses("same")),
      route("drop", {}, uses("none")),
      route("lenient", {}, uses("broken")),
      route("strict", {}, { transforms: [{ ref: "broken", on_error: "drop" }] }),
      route("halted", {}, { transforms: [{ ref: "broken", on_error: "halt" }, { ref: "same" }] }),
      route("chain", {}, uses("same", "none", "broken")),
    ],
    transforms: {
      same: () => ({ execute: async (one) => ({ ...one, payload: { ...one.payload, seen: 1 } }) }),
      none: () => ({ execute: async () => null }),
      broken: () => ({
        execute: async () => {
          throw new Error("broken");
        },
      }),
    },
    act: ({ route: name, payload }) => {
      const seen = name === "pass" ? 1 : undefined;
      if (payload.seen !== seen) throw new PermanentError("not what its transforms made of it");
    },
    steps: [{ atMs: 0, emit: [event("e1")] }],
    expect: { lanes: { "pass k": "e1", "lenient k": "e1" }, letters: NO_LETTERS },
  },
  {
    name: "templates: every root in then.config, a prompt where it says so, nothing that throws",
    routes: [
      route(
        "filled",
        {},
        {
          then: {
            actor: "agent",
            config: {
              title: "{{payload.title}}/{{event.payload.title}}/{{payload.none}}",
              text: "{{route}}: {{launch_prompt}}",
              odd: "{{payload..title}}{{payload.constructor}}{{",
              nested: { kept: "{{payload.title}}" },
            },
          },
          with: {
            prompt_file: "p.md",
            prompt: {
              file: "p.md",
              text: "Read {{payload.title}} ({{config.title}})",
              meta: { interpolate: true },
            },
          },
        },
      ),
      route(
        "plain",
        {},
        {
          with: {
            prompt_file: "p.md",
            prompt: { file: "p.md", text: "Read {{payload.title}}", meta: null },
          },
        },
      ),
    ],
    act({ route: name, config, prompt }) {
      if (name === "plain") deepEqual(prompt, "Read {{payload.title}}");
      else {
        const read = "Read A {{id}} (A {{id}}/A {{id}}/)";
        deepEqual(prompt, read);
        deepEqual(config, {
          title: "A {{id}}/A {{id}}/",
          text: `filled: ${read}`,
          odd: "{{",
          nested: { kept: "{{payload.title}}" },
        });
      }
    },
    steps: [{ atMs: 0, emit: [event("e1", "k", { title: "A {{id}}" })] }],
    expect: { lanes: { "filled k": "e1", "plain k": "e1" }, letters: NO_LETTERS },
  },
  {
    name: "a transform that never ends is given up at its timeout",
    routes: [route("a", {}, { transforms: [{ ref: "endless", on_error: "drop" }] }), route("b")],
    transforms: { endless: () => ({ execute: () => new Promise(() => {}) }) },
    steps: [{ atMs: 0, emit: [event("e1")] }],
    expect: { lanes: { "b k": "e1" }, letters: NO_LETTERS },
  },
  {
    name: "a fault of a route is that route's letter; the others deliver, and what follows does",
    routes: [
      route("bad", { key: "payload.constructor" }),
      route("worse", { key: "payload..n" }, uses("same")),
      route("good"),
    ],
    transforms: { same: () => ({ execute: async (one) => one }) },
    steps: [{ atMs: 0, emit: [event("e1"), event("e2")] }],
    expect: {
      lanes: { "good k": "e1 e2" },
      letters: ["e1 bad invalid 0", "e1 worse invalid 0", "e2 bad invalid 0", "e2 worse invalid 0"],
    },
  },
  {
    name: "a transform that answers no event has failed",
    routes: [
      route("strict", {}, { transforms: [{ ref: "nonsense", on_error: "drop" }] }),
      route("lenient", {}, uses("nonsense")),
      route("good"),
    ],
    transforms: { nonsense: () => ({ execute: async () => ({}) as OrgLoopEvent }) },
    steps: [{ atMs: 0, emit: [event("e1")] }],
    expect: { lanes: { "lenient k": "e1", "good k": "e1" }, letters: NO_LETTERS },
  },
  ...[false, true].map(
    (inProcess): Scenario => ({
      name: inProcess
        ? "a slow transform delays its own route and key, and nothing else of its source"
        : "a slow transform keeps the order of its route and key",
      routes: [route("slow", {}, uses("slow")), route("quick")],
      transforms: {
        slow: () => ({
          execute: (one) => (one.payload.slow ? new Promise(() => {}) : Promise.resolve(one)),
        }),
      },
      act({ event: id, route: name, atMs }) {
        const mayWait = name === "slow" && id !== "e3";
        if (inProcess && !mayWait && atMs > 5_000) throw new PermanentError("it had to wait");
      },
      steps: [
        { atMs: 0, emit: [event("e1", "x", { slow: true }), event("e2", "x"), event("e3", "y")] },
      ],
      // On AWS a source's events are routed in order: the next one waits.
      ...(inProcess && { only: "process" }),
      expect: {
        lanes: { "slow x": "e1 e2", "slow y": "e3", "quick x": "e1 e2", "quick y": "e3" },
        letters: NO_LETTERS,
      },
    }),
  ),
  {
    name: "dedup: the second event with a key is dropped, also long after the bus has forgotten",
    routes: [route("a", {}, uses("once"))],
    transforms: { once: dedupBy("payload.n") },
    steps: [
      { atMs: 0, emit: [event("e1", "k", { n: 1 }), event("e2", "k", { n: 1 })] },
      { atMs: 900_000, emit: [event("e3", "k", { n: 1 }), event("e4", "k", { n: 2 })] },
    ],
    expect: { lanes: { "a k": "e1 e4" }, letters: NO_LETTERS },
  },
  {
    name: "dedup with a crash: the event that claimed a key is not swallowed by its own claim",
    routes: [route("a", {}, uses("once"))],
    transforms: { once: dedupBy("payload.n") },
    act: ({ atMs }) => (atMs < 20_000 ? new Promise(() => {}) : undefined),
    steps: [
      { atMs: 0, emit: [event("e1", "k", { n: 1 })] },
      { atMs: 20_000, restart: true },
      { atMs: 21_000, emit: [event("e2", "k", { n: 1 })] },
    ],
    by: "ends",
    expect: { lanes: { "a k": "e1" }, letters: NO_LETTERS },
  },
  {
    name: "the same event twice is one",
    routes: [route("a")],
    act: ({ event: id, atMs }) => {
      if (id === "e1" && atMs < 5_000) throw new Error("not yet");
    },
    steps: [
      { atMs: 0, send: [sent("e1")] },
      { atMs: 1_000, send: [sent("e1"), sent("e2")] },
    ],
    expect: { lanes: { "a k": "e1! e1 e2", repeats: "e1" }, letters: NO_LETTERS },
  },
  {
    name: "a loop of events under one trace is broken",
    routes: [route("a")],
    steps: [
      {
        atMs: 0,
        emit: [1, 2, 3, 4, 5, 6].map((n) => ({ ...event(`e${n}`), trace_id: "trc_same" })),
      },
    ],
    expect: {
      lanes: { "a k": "e1 e2 e3 e4" },
      letters: ["e5  poison 0", "e6  poison 0"],
    },
  },
  {
    name: "retry then success; what is behind it waits, other keys do not",
    routes: [route("a")],
    act: ({ event: id, attempt }) => {
      if (id === "e1" && attempt < 3) throw new Error("ill");
    },
    steps: [{ atMs: 0, emit: [event("e1", "x"), event("e2", "x"), event("e3", "y")] }],
    expect: { lanes: { "a x": "e1! e1! e1 e2", "a y": "e3" }, letters: NO_LETTERS },
  },
  {
    name: "retries within a second",
    routes: [
      route("a", {
        retry: {
          max_attempts: 4,
          backoff: "exponential",
          initial_delay: "100ms",
          max_delay: "400ms",
          jitter: "none",
        },
      }),
    ],
    act: ({ attempt }) => {
      if (attempt < 3) throw new Error("ill");
    },
    steps: [{ atMs: 0, emit: [event("e1"), event("e2")] }],
    expect: { lanes: { "a k": "e1! e1! e1 e2! e2! e2" }, letters: NO_LETTERS },
  },
  {
    name: "Retry-After: not before, though the route's own delay is over",
    routes: [route("a")],
    act: ({ atMs }) => {
      if (atMs < 300_000) throw new RetryAfterError("later", 600_000);
      if (atMs < 600_000) throw new PermanentError("too early");
    },
    steps: [{ atMs: 0, emit: [event("e1"), event("e2")] }],
    expect: { lanes: { "a k": "e1! e1 e2" }, letters: NO_LETTERS },
  },
  {
    name: "permanent: a dead letter at once, and the next goes on",
    routes: [route("a")],
    act: ({ event: id }) => {
      if (id === "e1") throw new PermanentError("never");
    },
    steps: [{ atMs: 0, emit: [event("e1"), event("e2")] }],
    expect: { lanes: { "a k": "e1! e2" }, letters: ["e1 a permanent 1"] },
  },
  {
    name: "exhausted: a dead letter after the last attempt, and the next goes on",
    routes: [route("a")],
    act: ({ event: id }) => {
      if (id === "e1") throw new Error("ill");
    },
    steps: [{ atMs: 0, emit: [event("e1"), event("e2")] }],
    expect: { lanes: { "a k": "e1! e1! e1! e2" }, letters: ["e1 a exhausted 3"] },
  },
  {
    name: "timeout: an attempt that does not end is a failed one",
    routes: [route("a", { timeout: "5s" })],
    act: ({ attempt }) => (attempt === 1 ? new Promise(() => {}) : undefined),
    steps: [{ atMs: 0, emit: [event("e1"), event("e2", "other")] }],
    by: "ends",
    expect: { lanes: { "a k": "e1", "a other": "e2" }, letters: NO_LETTERS },
  },
  {
    name: "replay: delivered again, under its number, past dedup",
    routes: [route("a", {}, uses("once")), route("b")],
    transforms: { once: dedupBy("payload.n") },
    steps: [
      { atMs: 0, emit: [event("e1", "k", { n: 1 }), event("e2", "k", { n: 2 })] },
      { atMs: 10_000, replay: "e1" },
    ],
    expect: { lanes: { "a k": "e1 e2 e1r1", "b k": "e1 e2 e1r1" }, letters: NO_LETTERS },
  },
  {
    name: "replay of what was given up: it fails again, its letter remembers both",
    routes: [route("a")],
    act: () => {
      throw new PermanentError("never");
    },
    steps: [
      { atMs: 0, emit: [event("e1")] },
      { atMs: 10_000, replay: "e1" },
    ],
    by: "ends",
    expect: { lanes: {}, letters: ["e1 a permanent"] },
  },
];

function dedupBy(path: string): NonNullable<Scenario["transforms"]>[string] {
  return (context) => ({
    async execute(given, about) {
      const config = { key: [path], window: "1h" };
      const mask = (text: string) => text;
      const whole = { ...context, projectDir: "/", fetch, lookup, mask, warn: () => {} };
      const running = await dedup.create(config, whole);
      return running.execute(given, about);
    },
  });
}
