import type { Filter, OrgLoopEvent, RouteSpec } from "@orgloop/sdk";

/** Routes of one kind and the events that meet them. */
export interface Workload {
  readonly name: string;
  /** The route at a place among `count`. */
  readonly route: (at: number, count: number) => RouteSpec;
  /** What differs in the event that a route is meant for. */
  readonly event?: (at: number) => Fields;
}

interface Fields {
  readonly source?: string;
  readonly payload?: Readonly<Record<string, unknown>>;
}

const TYPE = "resource.changed";

function routeOf(at: number, source: readonly string[], filter?: Filter): RouteSpec {
  const when = { source, events: [TYPE] as const, ...(filter !== undefined && { filter }) };
  const delivery = {} as RouteSpec["delivery"];
  return { name: `route-${at}`, when, transforms: [], then: { actor: "a", config: {} }, delivery };
}

const hot = (name: string, filter: (at: number, count: number) => Filter): Workload => ({
  name,
  route: (at, count) => routeOf(at, ["hot"], filter(at, count)),
  event: () => ({ source: "hot" }),
});

/** Of a source of its own each, as many as routes. */
const own = (at: number) => [`source-${at}`];

const lists = new Map<number, readonly string[]>();

/** All sources, as one list. */
function everySource(count: number): readonly string[] {
  const list = lists.get(count) ?? Array.from({ length: count }, (_, at) => `source-${at}`);
  lists.set(count, list);
  return list;
}

/** 60 % source and type, 20 % and a prefix, 10 % and anything-but, 10 % type and ignore-case. */
function mixed(at: number, count: number): RouteSpec {
  const kind = at % 10;
  if (kind < 6) return routeOf(at, own(at));
  if (kind < 8) return routeOf(at, own(at), { "payload.ref": [{ prefix: "refs/heads/team-" }] });
  if (kind < 9) return routeOf(at, own(at), { "payload.action": [{ "anything-but": ["closed"] }] });
  const author = [{ "equals-ignore-case": `USER-${at}` }];
  return routeOf(at, everySource(count), { "payload.author": author });
}

/** A third each by how a path begins, ends and what stands in it. */
function wildcard(at: number): string {
  if (at % 3 === 0) return `services/team-${at}/*/main-*.ts`;
  return at % 3 === 1 ? `services/*/main-${at}.ts` : `*/service-${at}/*`;
}

/** A hundred of ten values a route: each stands in ten lists, however many routes. */
function hundred(field: string, at: number, count: number): readonly string[] {
  return Array.from(
    { length: 100 },
    (_, n) => `${field}-${(at + (n * count) / 10) % (10 * count)}`,
  );
}

export const WORKLOADS: readonly Workload[] = [
  {
    name: "exact",
    route: (at) => routeOf(at, own(at), { "payload.action": ["opened"] }),
  },
  { name: "mixed", route: mixed },
  hot("hot", (at) => ({ "payload.repository": [`org/repo-${at}`] })),
  hot("prefix", (at) => ({ "payload.ref": [{ prefix: `refs/heads/team-${at}/` }] })),
  hot("suffix", (at) => ({ "payload.ref": [{ suffix: `/task-${at}` }] })),
  hot("range", (at) => ({ "payload.size": [{ numeric: [">=", at * 10, "<", at * 10 + 10] }] })),
  hot("wildcard", (at) => ({ "payload.file": [{ wildcard: wildcard(at) }] })),
  {
    ...hot("absent", (at) => ({
      "payload.repository": [`org/repo-${at}`],
      [`payload.commits.flag-${at % 10}`]: [{ exists: false }],
    })),
    event: (at) => ({ source: "hot", payload: { commits: commits(at) } }),
  },
  {
    ...hot("lists", (at, count) => ({
      "payload.one": hundred("one", at, count),
      "payload.two": hundred("two", 3 * at, count),
      "payload.three": hundred("three", 7 * at, count),
    })),
    event: (at) => ({
      source: "hot",
      payload: { one: `one-${at}`, two: `two-${3 * at}`, three: `three-${7 * at}` },
    }),
  },
];

/** Patterns on which a search that tries each way would not end. */
export const HOSTILE: Workload = {
  ...hot("hostile", (at) => ({ "payload.text": [{ wildcard: `*a*a*a*a*b${at % 10}*` }] })),
  event: () => ({ source: "hot", payload: { text: "a".repeat(2_000) } }),
};

function commits(at: number): readonly unknown[] {
  return Array.from({ length: 200 }, (_, n) => ({
    id: `${at}-${n}`,
    message: `change ${n}`,
    ...(n === 199 && { [`flag-${at % 7}`]: true }),
  }));
}

const LOREM = "Reads the limit from the settings of the team, and says where it was set. ".repeat(
  4,
);

/** The event that the route at `at` is meant for: 0.8 KB, as a webhook's. */
function eventFor({ event }: Workload, at: number): OrgLoopEvent {
  const { source = `source-${at}`, payload } = event?.(at) ?? {};
  return {
    id: `evt_${at.toString(16).padStart(16, "0")}`,
    timestamp: "2026-11-01T09:30:00.000Z",
    source,
    type: TYPE,
    provenance: { platform: "github", platform_event: "pull_request", author_type: "team_member" },
    trace_id: `trc_${at.toString(16).padStart(16, "0")}`,
    payload: {
      action: "opened",
      author: `User-${at}`,
      repository: `org/repo-${at}`,
      ref: `refs/heads/team-${at}/task-${at}`,
      file: file(at),
      size: at * 10 + 3,
      draft: false,
      labels: ["bug", "team:platform", "size/M"],
      pull_request: { number: at, title: "Reads the limit", body: LOREM, commits: 3, merged: null },
      ...payload,
    },
  };
}

function file(at: number): string {
  if (at % 3 === 0) return `services/team-${at}/src/main-x.ts`;
  return at % 3 === 1 ? `services/src/main-${at}.ts` : `lib/service-${at}/index.ts`;
}

export const routesOf = ({ route }: Workload, count: number): readonly RouteSpec[] =>
  Array.from({ length: count }, (_, at) => route(at, count));

/** JSON texts, for routes all over the configuration; the same ones however often it is asked. */
export const eventsOf = (workload: Workload, count: number, wanted: number): readonly string[] =>
  Array.from({ length: wanted }, (_, n) => JSON.stringify(eventFor(workload, (n * 7919) % count)));
