import type { SecretText } from "@orgloop/engine";
import {
  type ActorSpec,
  type AwsSpec,
  type BusSpec,
  DEFAULT_QUEUE_DEPTH,
  type DefaultsSpec,
  type LoggerSpec,
  type NetworkSpec,
  type PromptSpec,
  type SourceSpec,
  type Topology,
  type TransformSpec,
} from "@orgloop/sdk";
import type { MarkedSecrets } from "../check/marked-secrets.ts";
import { secretsFromVars, writtenMarks } from "../check/written-secrets.ts";
import { EXEC_CONNECTOR, listedEnvironment } from "../read/listed-environment.ts";
import type { DefaultsInput } from "../schema/project-schema.ts";
import type { Declaration, Declarations } from "./declarations.ts";
import { deepFreeze } from "./deep-freeze.ts";
import { given } from "./given.ts";
import { mergeLayers } from "./layer.ts";
import { oncePerScope, type Scope } from "./scope.ts";
import type { Vars } from "./substitute-vars.ts";
import type { TopologyRoute } from "./topology-routes.ts";

/** The path of a transform's script, relative to the project, and what it contains. */
export type Script = Required<Pick<TransformSpec, "script" | "script_sha256">>;

/** A source's schemas, by what they are for. */
export type SchemaSpecs = NonNullable<SourceSpec["schemas"]>;

/** What belongs to an item beyond its own text: found by the loader, checked already. */
export interface Attachments {
  readonly prompts: ReadonlyMap<Declaration, PromptSpec>;
  readonly scripts: ReadonlyMap<Declaration, Script>;
  readonly schemas: ReadonlyMap<Declaration, SchemaSpecs>;
}

/** What was found out of items beside their own text. */
interface Found extends Pick<Attachments, "scripts" | "schemas"> {
  readonly marked: MarkedSecrets;
}

function described(value: {
  description?: string | undefined;
  labels?: Readonly<Record<string, string | number | boolean>> | null | undefined;
}) {
  const labels =
    value.labels &&
    Object.fromEntries(Object.entries(value.labels).map(([key, label]) => [key, String(label)]));
  return { ...given("description", value.description), ...given("labels", labels) };
}

/** What the defaults of a source's team say otherwise than the project's. */
type TeamDefaults = Pick<DefaultsInput, "poll_interval" | "repeat_window">;

/**
 * An item's `config`, with what its schema says of the secrets in it, and what there is a value of
 * `vars`.
 */
function configOf(
  config: Readonly<Record<string, unknown>> | null | undefined,
  { vars }: Scope,
  marked: readonly SecretText[] = [],
) {
  const open = fromVars(config, vars, marked);
  const paths = writtenMarks(marked, open.from_vars ?? []);
  return {
    config: config ?? {},
    ...open,
    ...given("secret_paths", paths.length > 0 ? paths : undefined),
  };
}

function fromVars(config: unknown, vars: Vars, marked?: readonly SecretText[]) {
  const found = secretsFromVars(config, vars, marked);
  return given("from_vars", found.length > 0 ? found : undefined);
}

function sourceSpec(
  source: Declaration<"source">,
  { marked, schemas }: Found,
  { poll_interval: interval, repeat_window }: TeamDefaults,
): SourceSpec {
  const { name, value, scope } = source;
  return {
    id: name,
    ...described(value),
    connector: value.connector,
    ...configOf(value.config, scope, marked.get(source)),
    ...given("poll", value.poll ?? (interval === undefined ? undefined : { interval })),
    ...given("emits", value.emits),
    ...given("public", value.public),
    ...given("key", value.key),
    ...given("repeat_window", value.repeat_window ?? repeat_window),
    ...given("repeats", value.repeats),
    ...given("schemas", schemas.get(source)),
  };
}

function actorSpec(
  { name, value, scope }: Declaration<"actor">,
  marked: readonly SecretText[] | undefined,
): ActorSpec {
  const { config, ...rest } = configOf(value.config, scope, marked);
  const hasList = value.connector === EXEC_CONNECTOR && Array.isArray(config.env);
  return {
    id: name,
    ...described(value),
    connector: value.connector,
    config: hasList ? { ...config, env: listedEnvironment(config.env) } : config,
    ...rest,
    queue_depth: value.queue_depth ?? DEFAULT_QUEUE_DEPTH,
  };
}

function transformSpec(item: Declaration<"transform">, { scripts, marked }: Found): TransformSpec {
  const { name, value, scope } = item;
  const script = scripts.get(item);
  const type = value.type === "script" ? "script" : "package";
  return {
    name,
    type,
    ...(type === "script"
      ? script
      : { package: value.type === "package" ? value.package : value.type }),
    ...(value.env !== undefined && { env: listedEnvironment(value.env ?? []) }),
    ...configOf(value.config, scope, marked.get(item)),
    timeout_ms: value.timeout_ms ?? 30_000,
    on_error: value.on_error ?? "pass",
  } as TransformSpec;
}

function loggerSpec(
  { name, value, scope }: Declaration<"logger">,
  marked: readonly SecretText[] | undefined,
): LoggerSpec {
  return { name, type: value.type, ...configOf(value.config, scope, marked) };
}

function defaultsSpec(defaults: DefaultsInput): DefaultsSpec {
  return {
    poll_interval: defaults.poll_interval ?? "5m",
    event_retention: defaults.event_retention ?? "7d",
    ...given("repeat_window", defaults.repeat_window),
    log_level: defaults.log_level ?? "info",
    checkpoint: {
      store: defaults.checkpoint?.store ?? "file",
      ...given("dir", defaults.checkpoint?.dir),
    },
    wal: {
      rotate: {
        max_size: defaults.wal?.rotate?.max_size ?? "64mb",
        max_age: defaults.wal?.rotate?.max_age ?? "1h",
      },
    },
    ...given("data_dir", defaults.data_dir),
  };
}

/** What a project is beside its items; the workspace's values are laid over the manifest's. */
export interface Settings {
  readonly project: string;
  readonly workspace: string;
  readonly bus: string | BusSpec;
  /** The project's own. */
  readonly vars: Vars;
  readonly defaults: DefaultsInput;
  readonly network?: NetworkSpec;
  readonly aws?: AwsSpec;
}

/**
 * The Topology of a project that has no errors: defaults filled in, items that are switched off
 * left out, frozen. `routes` are its routes; their specs are made when `Topology.routes` is read.
 */
export function buildTopology(
  { project, workspace, bus: written, vars, defaults, network, aws }: Settings,
  { source, actor, transform, logger }: Omit<Declarations, "route">,
  routes: readonly TopologyRoute[],
  found: Found,
): Topology {
  const on = <Item extends Declaration>(items: readonly Item[]) =>
    items.filter(({ enabled }) => enabled);
  const teamDefaults = oncePerScope((scope): TeamDefaults => {
    const { poll_interval, repeat_window } = mergeLayers(scope.defaults) as DefaultsInput;
    return {
      poll_interval: poll_interval === defaults.poll_interval ? undefined : poll_interval,
      repeat_window: repeat_window === defaults.repeat_window ? undefined : repeat_window,
    };
  });
  const bus = typeof written === "string" ? { url: written } : written;
  const topology: Topology = {
    project,
    workspace,
    bus: { ...bus, ...fromVars(bus, vars) },
    defaults: defaultsSpec(defaults),
    ...given("network", network),
    ...given("aws", aws),
    sources: on(source).map((source) => sourceSpec(source, found, teamDefaults(source.scope))),
    actors: on(actor).map((actor) => actorSpec(actor, found.marked.get(actor))),
    routes: [],
    transforms: on(transform).map((item) => transformSpec(item, found)),
    loggers: on(logger).map((logger) => loggerSpec(logger, found.marked.get(logger))),
  };
  deepFreeze(Object.values(topology));
  return Object.freeze(withRoutes(topology, routes));
}

/** `topology` with `routes`, made when they are asked for: nothing is kept of how once they are. */
function withRoutes(topology: Topology, routes: readonly TopologyRoute[]): Topology {
  let pending = routes;
  let made: Topology["routes"] | undefined;
  return Object.defineProperty(topology, "routes", {
    enumerable: true,
    get() {
      made ??= Object.freeze(pending.map(({ spec }) => spec));
      pending = [];
      return made;
    },
  });
}
