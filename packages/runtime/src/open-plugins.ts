import { parsePluginConfig } from "@orgloop/config";
import {
  type Actor,
  type ClaimStore,
  type Logger,
  messageOf,
  OrgLoopError,
  type PluginContext,
  type PluginDefinition,
  type PluginLookup,
  type PluginPart,
  type Source,
  type Topology,
  type Transform,
} from "@orgloop/sdk";

export interface OpenPluginsOptions {
  /** References resolved. */
  readonly topology: Topology;
  readonly projectDir: string;
  readonly lookup: PluginLookup;
  readonly claims: ClaimStore;
  readonly now: () => number;
  /** Says something of an item to the operator. */
  readonly warn: (item: string, message: string) => void;
}

/** Everything of the topology that runs, by id or name. */
export interface OpenPlugins {
  readonly sources: ReadonlyMap<string, Source>;
  readonly actors: ReadonlyMap<string, Actor>;
  readonly transforms: ReadonlyMap<string, Transform>;
  readonly loggers: readonly Logger[];
  /** Closes sources, actors and transforms; the event log closes the loggers. */
  close(): Promise<void>;
}

/** What a script of the project runs in (v1alpha1, section 5). */
const SCRIPT_PACKAGE = "@orgloop/transform-script";

interface Wanted<Running> {
  /** e.g. `source "github"`. */
  readonly item: string;
  readonly id: string;
  readonly package: string;
  readonly config: unknown;
  readonly partOf: (definition: PluginDefinition) => PluginPart<unknown, Running> | undefined;
}

/**
 * Creates what the topology names: each configuration is checked with its references resolved. All failures are told at once, as
 * `PLUGINS_FAILED`, and what was open by then is closed.
 */
export async function openPlugins(options: OpenPluginsOptions): Promise<OpenPlugins> {
  const { topology } = options;
  const opened: { close?(): Promise<void> }[] = [];
  const failures: string[] = [];

  async function open<Running extends object>(
    wanted: readonly Wanted<Running>[],
  ): Promise<Map<string, Running>> {
    const running = await Promise.all(
      wanted.map(async (one) => {
        try {
          const created = await create(one, options);
          opened.push(created);
          return [[one.id, created]] as const;
        } catch (error) {
          failures.push(`  ${one.item}: ${messageOf(error)}`);
          return [];
        }
      }),
    );
    return new Map(running.flat());
  }

  const [sources, actors, transforms, loggers] = await Promise.all([
    open(topology.sources.map(wantedSource)),
    open(topology.actors.map(wantedActor)),
    open(topology.transforms.map(wantedTransform)),
    open(topology.loggers.map(wantedLogger)),
  ]);
  if (failures.length > 0) {
    await closeAll(opened);
    const what = failures.length === 1 ? "one item" : `${failures.length} items`;
    throw new OrgLoopError(
      "PLUGINS_FAILED",
      `${what} could not be started:\n${failures.join("\n")}`,
    );
  }
  return {
    sources,
    actors,
    transforms,
    loggers: [...loggers.values()],
    close: () => closeAll([...sources.values(), ...actors.values(), ...transforms.values()]),
  };
}

async function closeAll(opened: readonly { close?(): Promise<void> }[]): Promise<void> {
  await Promise.allSettled(opened.map((one) => one.close?.()));
}

async function create<Running>(
  { item, id, package: name, config, partOf }: Wanted<Running>,
  { lookup, projectDir, now, claims, warn }: OpenPluginsOptions,
): Promise<Running> {
  const part = partOf(await lookup(name));
  if (part === undefined) {
    throw new OrgLoopError(
      "PLUGIN_WRONG_KIND",
      `${name} is nothing that a ${item.split(" ")[0]} can be made of`,
    );
  }
  const checked = await parsePluginConfig(part.config, config);
  if (checked.errors !== undefined) {
    const said = checked.errors.map(({ path, message }) => [...path.slice(-1), message].join(": "));
    throw new OrgLoopError("INVALID_CONFIG", said.join("; "));
  }
  const context: PluginContext = {
    id,
    projectDir,
    now,
    claims,
    warn: (message) => warn(item, message),
  };
  return part.create(checked.value, context);
}

function wantedSource({ id, connector, config }: Topology["sources"][number]): Wanted<Source> {
  return {
    item: `source "${id}"`,
    id,
    package: connector,
    config,
    partOf: (found) => (found.kind === "connector" ? found.source : undefined),
  };
}

function wantedActor({ id, connector, config }: Topology["actors"][number]): Wanted<Actor> {
  return {
    item: `actor "${id}"`,
    id,
    package: connector,
    config,
    partOf: (found) => (found.kind === "connector" ? found.actor : undefined),
  };
}

function wantedTransform(spec: Topology["transforms"][number]): Wanted<Transform> {
  const script = spec.type === "script";
  return {
    item: `transform "${spec.name}"`,
    id: spec.name,
    package: script ? SCRIPT_PACKAGE : (spec.package ?? ""),
    config: script ? { script: spec.script } : spec.config,
    partOf: (found) => (found.kind === "transform" ? found : undefined),
  };
}

function wantedLogger({ name, type, config }: Topology["loggers"][number]): Wanted<Logger> {
  return {
    item: `logger "${name}"`,
    id: name,
    package: type,
    config,
    partOf: (found) => (found.kind === "logger" ? found : undefined),
  };
}
