import { event, route, type Scenario } from "./scenario.ts";

const MINUTE = 60_000;
const to = (id: string, agent: string) => event(id, "k", { agent });

/** A route whose events wait until their agent fetches them. */
function inboxRoute(
  config: Readonly<Record<string, unknown>> = {},
  delivery: Parameters<typeof route>[1] = {},
) {
  const inbox = { inbox: true, session_key: "{{payload.agent}}", ...config };
  return route("r", delivery, { then: { actor: "agent", config: inbox } });
}

/** What waits in an inbox, and what its actor is told. */
export const INBOX: readonly Scenario[] = [
  {
    name: "inbox: its actor is told once until it has drained, each session for itself",
    routes: [inboxRoute()],
    steps: [
      { atMs: 0, emit: [to("e1", "a")] },
      { atMs: 10_000, emit: [to("e2", "a"), to("e3", "b")] },
      { atMs: 20_000, drain: "a" },
      { atMs: 30_000, drain: "a" },
      { atMs: 40_000, emit: [to("e4", "a")] },
      { atMs: 50_000, drain: "a" },
      { atMs: 60_000, drain: "b" },
    ],
    expect: {
      lanes: {
        "r s": "told1 told1 told1",
        "inbox a": "e1 e2 (0) (0) e4 (0)",
        "inbox b": "e3 (0)",
      },
      letters: [],
    },
  },
  {
    name: "inbox: who drains only some is told of the rest",
    routes: [inboxRoute({ inbox_max_batch: 2 })],
    steps: [
      { atMs: 0, emit: [to("e1", "a")] },
      { atMs: 10_000, emit: [to("e2", "a"), to("e3", "a"), to("e4", "a")] },
      { atMs: 20_000, drain: "a" },
      { atMs: 30_000, drain: "a", limit: 1 },
      { atMs: 40_000, drain: "a" },
    ],
    expect: {
      lanes: { "r s": "told1 told2 told1", "inbox a": "e1 e2 (2) e3 (1) e4 (0)" },
      letters: [],
    },
  },
  {
    name: "inbox: what nobody fetches in time becomes a dead letter, and is not fetched later",
    routes: [inboxRoute({ inbox_ttl: "10m" })],
    steps: [
      { atMs: 0, emit: [to("e1", "a")] },
      { atMs: 5 * MINUTE, emit: [to("e2", "a")] },
      { atMs: 11 * MINUTE, emit: [] },
      { atMs: 12 * MINUTE, drain: "a" },
      { atMs: 13 * MINUTE, emit: [to("e3", "a")] },
      { atMs: 30 * MINUTE, drain: "a" },
    ],
    expect: {
      lanes: { "r s": "told1 told1", "inbox a": "e2 (0) (0)" },
      letters: ["e1 r expired 0", "e3 r expired 0"],
    },
  },
  {
    name: "inbox: a notification is retried; given up, the next event tells again",
    routes: [inboxRoute()],
    act: ({ atMs }) => {
      if (atMs < 30_000) throw new Error("ill");
    },
    steps: [
      { atMs: 0, emit: [to("e1", "a")] },
      { atMs: MINUTE, emit: [to("e2", "a")] },
      { atMs: 2 * MINUTE, drain: "a" },
    ],
    expect: {
      lanes: { "r s": "told1! told1! told1! told2", "inbox a": "e1 e2 (0)" },
      letters: ["told1 r exhausted 3"],
    },
  },
  {
    name: "inbox: what waits does so over a restart, and nobody is told anew",
    routes: [inboxRoute({}, { order: "route" })],
    steps: [
      { atMs: 0, emit: [to("e1", "a")] },
      { atMs: MINUTE, restart: true },
      { atMs: 2 * MINUTE, emit: [to("e2", "a")] },
      { atMs: 3 * MINUTE, drain: "a" },
    ],
    expect: { lanes: { r: "told1", "inbox a": "e1 e2 (0)" }, letters: [] },
  },
];
