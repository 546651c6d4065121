import { isInboxNotice } from "@orgloop/engine";
import type {
  Actor,
  DeadLetter,
  DeliverySpec,
  EventDraft,
  LogEntry,
  OrgLoopEvent,
  PluginContext,
  RouteSpec,
  SourceSpec,
  Topology,
  Transform,
} from "@orgloop/sdk";
import { SAMPLE_DEFAULTS, sampleRoute } from "@orgloop/testkit";

/** One call of an actor, as a scenario sees it. */
export interface Call {
  /** Of an inbox's notification `reported` and how many wait. */
  readonly event: string;
  readonly route: string;
  readonly attempt: number;
  readonly replay: number;
  readonly payload: Readonly<Record<string, unknown>>;
  /** What the route gives it, filled in; absent in a drain. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly prompt?: string | undefined;
  /** Ms since the scenario began. */
  readonly atMs: number;
}

/** What happens at a time, in ms since the scenario began. */
export type Step =
  | { readonly atMs: number; readonly emit: readonly EventDraft[] }
  /** Its source sends them, in as many requests at once as `times` says (default 1). */
  | { readonly atMs: number; readonly send: readonly EventDraft[]; readonly times?: number }
  /**
   * The host ends with what is in flight, and begins again, from now on with the routes of these
   * names (default: with all).
   */
  | { readonly atMs: number; readonly restart: true; readonly routes?: readonly string[] }
  /** Everything that was recorded of that event is routed anew. */
  | { readonly atMs: number; readonly replay: string }
  /** The agent fetches what is in its inbox, at most `limit`. */
  | { readonly atMs: number; readonly drain: string; readonly limit?: number };

export interface Scenario {
  readonly name: string;
  readonly routes: readonly RouteSpec[];
  readonly steps: readonly Step[];
  /** The actors: throws to fail, waits to take time. Default: every call succeeds at once. */
  readonly act?: (call: Call) => void | Promise<void>;
  readonly transforms?: Readonly<
    Record<string, (context: Pick<PluginContext, "id" | "claims" | "now">) => Transform>
  >;
  readonly queueDepth?: number;
  /** Names of the routes that it begins with; default: all. */
  readonly begins?: readonly string[];
  /** Of the source. */
  readonly source?: Partial<SourceSpec>;
  /**
   * What hosts are compared by. `calls`: every call of each lane in its order, and the letters
   * (default). `ends`: what was delivered, in order, and the letters without their attempts.
   * `bound`: that each event of a lane ended, given up ones before delivered ones, and why any were
   * given up, each reason once.
   */
  readonly by?: "calls" | "ends" | "bound";
  /** The only host that can do it: on the other it is an error of the configuration. */
  readonly only?: "process";
  /** The same for every host, in the words of {@link Outcome}. */
  readonly expect: Outcome;
}

/** What came of a scenario; not when. */
export interface Outcome {
  /**
   * By lane (`route` or `route key`): the events as they were called (`e1`, `e1!` for a failure) or
   * delivered. `inbox KEY`: what was drained, and how many were left of each drain.
   */
  readonly lanes: Readonly<Record<string, string>>;
  /** `event route reason attempts`, sorted. */
  readonly letters: readonly string[];
}

/** How a scenario ran on a host. */
export interface Run {
  readonly calls: readonly (Call & { readonly ok: boolean; readonly lane: string })[];
  readonly letters: readonly {
    readonly event: string;
    readonly route: string | null;
    readonly reason: string;
    readonly attempts: number;
    readonly lane: string;
  }[];
}

/** A route from source `s`; its actor's id is `agent`, if it is not said. */
export function route(
  name: string,
  delivery: Partial<DeliverySpec> = {},
  rest: Partial<Omit<RouteSpec, "delivery">> & { readonly actor?: string } = {},
): RouteSpec {
  const { actor = "agent", ...others } = rest;
  const sample = sampleRoute(name, delivery);
  return { ...sample, then: { ...sample.then, actor }, ...others };
}

/** An event from source `s`, ordered by `key`. */
export function event(
  id: string,
  key = "k",
  payload: Readonly<Record<string, unknown>> = {},
): EventDraft {
  return { id: `evt_${id}`, ordering_key: key, provenance: { platform: "test" }, payload };
}

/** An event that its sender has named, so that it is known again. */
export function sent(
  id: string,
  key?: string,
  payload?: Readonly<Record<string, unknown>>,
): EventDraft {
  return { ...event(id, key, payload), identity: id };
}

/** What the log says of repeats, as calls that succeeded: lanes `repeats` and `reused`. */
export function repeatCalls(
  entries: readonly Pick<LogEntry, "phase" | "event_id">[],
): Run["calls"] {
  const lanes: Partial<Record<LogEntry["phase"], string>> = {
    "source.repeat": "repeats",
    "source.id_reused": "reused",
  };
  return entries.flatMap(({ phase, event_id = "" }) => {
    const lane = lanes[phase];
    if (lane === undefined) return [];
    const call = {
      event: plainId(event_id),
      route: "",
      payload: {},
      attempt: 1,
      replay: 0,
      atMs: 0,
    };
    return [{ ...call, lane, ok: true }];
  });
}

/** With the routes that are called `names`. */
export function topologyOf(
  { routes: all, transforms = {}, queueDepth = 1000, source }: Scenario,
  names: readonly string[] = all.map(({ name }) => name),
): Topology {
  const routes = all.filter(({ name }) => names.includes(name));
  const actors = [...new Set(routes.map(({ then }) => then.actor))];
  return {
    project: "acme",
    workspace: "parity",
    bus: { url: "file" },
    defaults: SAMPLE_DEFAULTS,
    sources: [{ id: "s", connector: "test/source", config: {}, ...source }],
    actors: actors.map((id) => ({
      id,
      connector: "test/actor",
      config: {},
      queue_depth: queueDepth,
    })),
    routes,
    transforms: Object.keys(transforms).map((name) => ({
      name,
      type: "package",
      package: `test/transform/${name}`,
      config: {},
      timeout_ms: 30_000,
      on_error: "pass",
    })),
    loggers: [],
  };
}

/** The lane of a delivery: what keeps its order among itself. */
export function laneOf({ delivery: { order }, name }: RouteSpec, key: string, id: string): string {
  return { key: `${name} ${key}`, route: name, none: `${name} ${id}` }[order];
}

export const plainId = (id: string): string => id.replace(/^evt_/, "");

/** What a scenario calls an event. */
export const nameOf = (event: OrgLoopEvent): string =>
  isInboxNotice(event) ? `told${event.payload.pending_count}` : plainId(event.id);

/** What a drain has found, as a call that succeeded. */
export function drainCall(
  key: string,
  { events, remaining }: { readonly events: readonly OrgLoopEvent[]; readonly remaining: number },
  atMs: number,
): Run["calls"][number] {
  const found = [...events.map(({ id }) => plainId(id)), `(${remaining})`].join(" ");
  const lane = `inbox ${key}`;
  return { event: found, route: "", payload: {}, lane, attempt: 1, replay: 0, atMs, ok: true };
}

/** An actor that does what the scenario says, and notes each call. */
export function scriptedActor(
  { act = () => {}, routes }: Scenario,
  now: () => number,
  note: (call: Run["calls"][number]) => void,
): Actor {
  return {
    async deliver(given, { route: name, attempt, replay, config, prompt }) {
      const id = nameOf(given);
      const spec = routes.find((one) => one.name === name);
      const lane = spec === undefined ? name : laneOf(spec, given.ordering_key ?? "s", id);
      const { payload } = given;
      const filled = { config, prompt: prompt?.text };
      const call = { event: id, route: name, attempt, replay, payload, ...filled, atMs: now() };
      try {
        await act(call);
      } catch (error) {
        note({ ...call, lane, ok: false });
        throw error;
      }
      note({ ...call, lane, ok: true });
      return { status: "delivered" };
    },
  };
}

/** Long after everything in the table has ended, in ms. */
export const LONGEST_MS = 3 * 86_400_000;

/** A host's dead letters, as a run has them. */
export function lettersOf({ routes }: Scenario, letters: readonly DeadLetter[]): Run["letters"] {
  return letters.map((letter) => {
    const spec = routes.find(({ name }) => name === letter.route);
    const id = nameOf(letter.event);
    const lane = spec === undefined ? "" : laneOf(spec, letter.ordering_key ?? "s", id);
    return { ...letter, event: id, lane };
  });
}

/** A run in the words that hosts are compared in. */
export function outcomeOf({ calls, letters }: Run, by: Scenario["by"] = "calls"): Outcome {
  const lanes: Record<string, string[]> = {};
  const add = (lane: string, text: string): void => {
    lanes[lane] = [...(lanes[lane] ?? []), text];
  };
  if (by === "bound") {
    const ended = [
      ...letters.map(({ event: id, lane }) => ({ id, lane })),
      ...calls.filter(({ ok }) => ok).map(({ event: id, lane }) => ({ id, lane })),
    ];
    for (const { id, lane } of ended) add(lane, id);
  } else {
    for (const { event: id, lane, ok, replay } of calls) {
      if (!ok && by === "ends") continue;
      const times = replay > 0 ? `r${replay}` : "";
      add(lane, `${id}${times}${ok ? "" : "!"}`);
    }
  }
  return {
    lanes: Object.fromEntries(Object.entries(lanes).map(([lane, ids]) => [lane, ids.join(" ")])),
    letters:
      by === "bound"
        ? [...new Set(letters.map(({ reason }) => reason))].sort()
        : letters
            .map(({ event: id, route: name, reason, attempts }) =>
              [id, name, reason, ...(by === "ends" ? [] : [attempts])].join(" "),
            )
            .sort(),
  };
}
