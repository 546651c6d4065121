import {
  type Actor,
  type DeliveryContext,
  defineConnector,
  defineLogger,
  defineTransform,
  type LogEntry,
  type OrgLoopEvent,
  type PluginDefinition,
  type PluginLookup,
  type RouteSpec,
  type Source,
  type Topology,
  type Transform,
} from "@orgloop/sdk";
import { readAppliedState } from "@orgloop/stores";
import { anyConfig } from "@orgloop/testkit";
import { expect } from "vitest";
import {
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  topologyOf,
} from "../process/process-fixture.ts";

type Config = Readonly<Record<string, unknown>>;

/** Makes parts from their configuration; `undefined`: there is none of that id. */
export interface Makers {
  readonly source?: (id: string, config: Config) => Source;
  readonly actor?: (id: string, config: Config) => Actor;
  readonly transform?: (id: string, config: Config) => Transform;
  readonly logger?: (entry: LogEntry) => void;
}

/**
 * Every part that was made and closed, in order: `actor a`, `close actor a`. `fails`: ids whose
 * part cannot be made.
 */
export function partMaker({ source, actor, transform, logger }: Makers) {
  const made: string[] = [];
  const fails = new Set<string>();
  const make = <Part extends object>(
    kind: string,
    how: ((id: string, config: Config) => Part) | undefined,
  ) => ({
    config: anyConfig<Config>(),
    async create(config: Config, { id }: { readonly id: string }) {
      if (fails.has(id) || how === undefined) throw new Error(`${id} is out of order`);
      made.push(`${kind} ${id}`);
      const part = how(id, config);
      return {
        ...part,
        close: async () => void made.push(`close ${kind} ${id}`),
      } as Part;
    },
  });
  const connector = defineConnector({
    id: "test",
    source: make("source", source),
    actor: make("actor", actor),
  }) as PluginDefinition;
  const definitions: Readonly<Record<string, PluginDefinition>> = {
    "test/connector": connector,
    "test/other": connector,
    "test/transform": defineTransform({
      id: "t",
      ...make("transform", transform),
    }) as PluginDefinition,
    "test/logger": defineLogger({
      id: "l",
      ...make("logger", () => ({ log: (entry: LogEntry) => logger?.(entry) })),
    }) as PluginDefinition,
  };
  const lookup: PluginLookup = async (name) => definitions[name] as PluginDefinition;
  return { made, fails, lookup };
}

/** What a test's configuration holds; each entry of the first two is id → config. */
export interface Configured {
  readonly sources?: Readonly<Record<string, Config>>;
  readonly actors?: Readonly<Record<string, Config>>;
  readonly transforms?: Readonly<Record<string, Config>>;
  readonly loggers?: Readonly<Record<string, Config>>;
  readonly routes?: readonly RouteSpec[];
  readonly bus?: string;
  readonly queueDepth?: number;
}

export function configured(what: Configured): Topology {
  const { sources = {}, actors = {}, transforms = {}, loggers = {}, routes = [] } = what;
  const connector = "test/connector";
  const named = Object.entries(transforms);
  const base = topologyOf({}, routes, what.bus === undefined ? {} : { bus: what.bus });
  return {
    ...base,
    defaults: { ...base.defaults, log_level: "debug" },
    sources: Object.entries(sources).map(([id, config]) => ({ id, connector, config })),
    actors: Object.entries(actors).map(([id, config]) => ({
      id,
      connector,
      config,
      queue_depth: what.queueDepth ?? 1_000,
    })),
    transforms: named.map(([name, config]) => ({
      name,
      type: "package",
      package: "test/transform",
      config,
      timeout_ms: 30_000,
      on_error: "drop",
    })),
    loggers: Object.entries(loggers).map(([name, config]) => ({
      name,
      type: "test/logger",
      config,
    })),
  };
}

/** A route that waits for an actor which does not exist yet. */
export function awaiting(name: string, source: string, actor: string): RouteSpec {
  const spec = route(name, source, actor, { overflow: "drop_oldest" });
  return { ...spec, then: { ...spec.then, queue_until_exists: true } };
}

/**
 * Actors that remember what they got and under which configuration; `hold` keeps a payload's
 * delivery open.
 */
export function recording() {
  const got: string[] = [];
  const holds = new Map<unknown, PromiseWithResolvers<void>>();
  const contexts: DeliveryContext[] = [];
  return {
    got,
    contexts,
    hold(n: unknown): PromiseWithResolvers<void> {
      const held = Promise.withResolvers<void>();
      holds.set(n, held);
      return held;
    },
    async reached(count: number): Promise<void> {
      await expect.poll(() => got.length).toBeGreaterThanOrEqual(count);
    },
    actor: (id: string, { version = 1 }: { readonly version?: unknown }) =>
      recordingActor(async ({ payload }: OrgLoopEvent, context) => {
        contexts.push(context);
        await holds.get(payload.n)?.promise;
        got.push(`${id}@${version}: ${payload.n}`);
      }),
  };
}

export const hook = { sources: { hook: {} } } satisfies Configured;

export async function running(first: Configured, makers: Parameters<typeof partMaker>[0] = {}) {
  const record = recording();
  const parts = partMaker({ source: jsonWebhook, actor: record.actor, ...makers });
  const process = await startFixture(configured(first), {}, { lookup: parts.lookup });
  let n = 0;
  return {
    ...parts,
    record,
    process,
    apply: (next: Configured) => process.apply(configured(next)),
    async send(payload: Record<string, unknown> = {}, to = "hook"): Promise<void> {
      n += 1;
      const answer = await process.post(`/webhook/${to}`, { n, ...payload });
      expect(answer.status).toBe(200);
    },
    state: () => readAppliedState(process.dataDir),
    settled: () => expect.poll(() => process.status().unacked).toBe(0),
  };
}
