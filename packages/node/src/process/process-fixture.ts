import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Actor,
  type ActorSpec,
  type DeliveryContext,
  type DeliverySpec,
  defineConnector,
  defineTransform,
  isRefused,
  type LogEntry,
  type OrgLoopEvent,
  type PluginDefinition,
  parseJson,
  RefusedError,
  type RouteSpec,
  type Source,
  type SourceSpec,
  type Topology,
  type Transform,
  type WebhookRequest,
} from "@orgloop/sdk";
import { anyConfig, SAMPLE_DEFAULTS, SAMPLE_DELIVERY } from "@orgloop/testkit";
import { onTestFinished, vi } from "vitest";
import { type Activity, countActivity } from "../telemetry/activity.ts";
import { type RunningProcess, type StartOptions, startProcess } from "./start-process.ts";

export const TOKEN = "test-token";

const DELIVERY: DeliverySpec = {
  ...SAMPLE_DELIVERY,
  overflow: "block",
  concurrency: 16,
  retry: { ...SAMPLE_DELIVERY.retry, initial_delay: "10ms", max_delay: "1s" },
};

/** What a test's parts are made of; packages are called `test/…`. */
export interface FixtureParts {
  readonly sources?: Readonly<Record<string, Source>>;
  readonly actors?: Readonly<Record<string, Actor>>;
  readonly transforms?: Readonly<Record<string, Transform>>;
}

export function route(
  name: string,
  source: string,
  actor: string,
  delivery: Partial<DeliverySpec> = {},
): RouteSpec {
  return {
    name,
    when: { source: [source], events: ["resource.changed"] },
    transforms: [],
    then: { actor, config: {} },
    delivery: { ...DELIVERY, ...delivery },
  };
}

export function topologyOf(
  parts: FixtureParts,
  routes: readonly RouteSpec[],
  overrides: {
    readonly bus?: string;
    readonly poll?: Readonly<Record<string, string>>;
    readonly queueDepth?: number;
    readonly configs?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  } = {},
): Topology {
  const configOf = (id: string) => overrides.configs?.[id] ?? {};
  return {
    project: "acme",
    workspace: "default",
    bus: { url: overrides.bus ?? "memory" },
    defaults: { ...SAMPLE_DEFAULTS, log_level: "info", checkpoint: { store: "file" } },
    sources: Object.keys(parts.sources ?? {}).map((id): SourceSpec => {
      const interval = overrides.poll?.[id];
      const base = { id, connector: `test/source/${id}`, config: configOf(id) };
      return interval === undefined ? base : { ...base, poll: { interval } };
    }),
    actors: Object.keys(parts.actors ?? {}).map(
      (id): ActorSpec => ({
        id,
        connector: `test/actor/${id}`,
        config: configOf(id),
        queue_depth: overrides.queueDepth ?? 1_000,
      }),
    ),
    routes,
    transforms: Object.keys(parts.transforms ?? {}).map((name) => ({
      name,
      type: "package",
      package: `test/transform/${name}`,
      config: {},
      timeout_ms: 30_000,
      on_error: "drop",
    })),
    loggers: [],
  };
}

export function lookupOf({ sources = {}, actors = {}, transforms = {} }: FixtureParts) {
  return async (name: string): Promise<PluginDefinition> => {
    const [, kind, ...rest] = name.split("/");
    const id = rest.join("/");
    const source = kind === "source" ? sources[id] : undefined;
    const actor = kind === "actor" ? actors[id] : undefined;
    const transform = kind === "transform" ? transforms[id] : undefined;
    if (transform !== undefined) {
      return defineTransform({
        id,
        config: anyConfig<Record<string, unknown>>(),
        create: async () => transform,
      });
    }
    return defineConnector({
      id,
      ...(source && {
        source: { config: anyConfig<Record<string, unknown>>(), create: async () => source },
      }),
      ...(actor && {
        actor: { config: anyConfig<Record<string, unknown>>(), create: async () => actor },
      }),
    }) as PluginDefinition;
  };
}

/**
 * A source that takes JSON objects; `identity` of the object becomes the event's, `key` its
 * ordering key.
 */
export function jsonWebhook(): Source {
  return {
    async receive({ body, content }: WebhookRequest) {
      let payload: Record<string, unknown>;
      try {
        const bytes = (await content?.()) ?? body;
        payload = parseJson(new TextDecoder().decode(bytes)) as Record<string, unknown>;
      } catch (cause) {
        if (isRefused(cause)) throw cause;
        throw new RefusedError(400, "the body is no JSON", { cause });
      }
      const { identity, key } = payload;
      return [
        {
          provenance: { platform: "test" },
          payload,
          ...(typeof identity === "string" && { identity }),
          ...(typeof key === "string" && { ordering_key: key }),
        },
      ];
    },
  };
}

/** What is counted, without metrics. */
export function activityOf(...routes: readonly RouteSpec[]): Activity {
  const ignore = (): void => {};
  return countActivity(topologyOf({}, routes), {
    received: ignore,
    refused: ignore,
    repeated: ignore,
    sourceFailed: ignore,
    delivered: ignore,
    attemptFailed: ignore,
    retried: ignore,
    dropped: ignore,
    missing: ignore,
    unhandled: ignore,
    deadLettered: ignore,
  });
}

/** An actor that remembers what it got; `act` may fail or wait. */
export function recordingActor(
  act: (event: OrgLoopEvent, context: DeliveryContext) => void | Promise<void> = () => {},
): Actor & { readonly got: OrgLoopEvent[]; until(count: number): Promise<void> } {
  const got: OrgLoopEvent[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  return {
    got,
    until(count) {
      if (got.length >= count) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ count, resolve }));
    },
    async deliver(event, context) {
      await act(event, context);
      got.push(event);
      for (const one of waiting) if (got.length >= one.count) one.resolve();
      return undefined;
    },
  };
}

/** Resolves when `check` no longer throws. */
export const eventually = (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 4_000 });

export async function temporaryDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "orgloop-runtime-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export interface Fixture extends RunningProcess {
  readonly dataDir: string;
  readonly entries: LogEntry[];
  readonly url: string;
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  get(path: string, init?: RequestInit): Promise<Response>;
  /** Resolves with the first entry of that phase, now or later. */
  entry(phase: LogEntry["phase"]): Promise<LogEntry>;
}

/** Starts a process on free port and temporary data; it is drained when the test ends. */
export async function startFixture(
  topology: Topology,
  parts: FixtureParts,
  options: Partial<StartOptions> = {},
): Promise<Fixture> {
  const dataDir = options.dataDir ?? (await temporaryDir());
  const entries: LogEntry[] = [];
  const waiting: { phase: string; resolve: (entry: LogEntry) => void }[] = [];
  const running = await startProcess({
    topology: { ...topology, defaults: { ...topology.defaults, log_level: "debug" } },
    projectDir: dataDir,
    env: {},
    token: TOKEN,
    lookup: lookupOf(parts),
    drainMs: 200,
    ...options,
    dataDir,
    onEntry(entry) {
      entries.push(entry);
      for (const one of waiting) if (one.phase === entry.phase) one.resolve(entry);
    },
  });
  onTestFinished(() => running.drain());
  const url = `http://127.0.0.1:${running.address.port}`;
  return {
    ...running,
    dataDir,
    entries,
    url,
    get: (path, init) => fetch(`${url}${path}`, init),
    post: (path, body, init) =>
      fetch(`${url}${path}`, {
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
        ...init,
      }),
    entry(phase) {
      const found = entries.find((entry) => entry.phase === phase);
      if (found !== undefined) return Promise.resolve(found);
      return new Promise((resolve) => waiting.push({ phase, resolve }));
    },
  };
}
