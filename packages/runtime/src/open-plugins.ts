import { isDeepStrictEqual } from "node:util";
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
import { type Held, held } from "./held.ts";

export interface OpenPluginsOptions {
  /** References resolved. */
  readonly topology: Topology;
  readonly projectDir: string;
  readonly lookup: PluginLookup;
  readonly claims: ClaimStore;
  readonly now: () => number;
  /** Says something of an item to the operator. */
  readonly warn: (item: string, message: string) => void;
  /** What runs already: what is made from the same again is kept. */
  readonly before?: OpenPlugins | undefined;
  /** Where all that is open stands, loggers apart: the event log closes these. */
  readonly open: Set<Held<unknown>>;
}

/** A part and what it was made from, references resolved. */
export interface Plugin<Part> extends Held<Part> {
  readonly package: string;
  readonly config: unknown;
}

/** Everything of the topology that runs, by id or name. */
export interface OpenPlugins {
  readonly sources: ReadonlyMap<string, Plugin<Source>>;
  readonly actors: ReadonlyMap<string, Plugin<Actor>>;
  readonly transforms: ReadonlyMap<string, Plugin<Transform>>;
  readonly loggers: ReadonlyMap<string, Plugin<Logger>>;
  /** What was not there before. */
  readonly created: readonly Held<unknown>[];
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
 * Creates what the topology names and `before` does not have: each configuration is checked with its references resolved. All failures
 * are told at once, as `PLUGINS_FAILED`, and what was created by then is closed.
 */
export async function openPlugins(options: OpenPluginsOptions): Promise<OpenPlugins> {
  const { topology, before } = options;
  const created: Held<unknown>[] = [];
  const failures: string[] = [];

  async function open<Running extends object>(
    wanted: readonly Wanted<Running>[],
    existing: ReadonlyMap<string, Plugin<Running>> | undefined,
    among = options.open,
  ): Promise<Map<string, Plugin<Running>>> {
    const running = await Promise.all(
      wanted.map(async (one) => {
        const kept = existing?.get(one.id);
        if (kept !== undefined && isSame(one, kept)) return [[one.id, kept]] as const;
        try {
          const { package: name, config } = one;
          const made = held(await create(one, options), among);
          created.push(made);
          return [[one.id, { ...made, package: name, config }]] as const;
        } catch (error) {
          failures.push(`  ${one.item}: ${messageOf(error)}`);
          return [];
        }
      }),
    );
    return new Map(running.flat());
  }

  const [sources, actors, transforms, loggers] = await Promise.all([
    open(topology.sources.map(wantedSource), before?.sources),
    open(topology.actors.map(wantedActor), before?.actors),
    open(topology.transforms.map(wantedTransform), before?.transforms),
    // The event log closes them, when it has told them of everything.
    open(topology.loggers.map(wantedLogger), before?.loggers, new Set()),
  ]);
  if (failures.length > 0) {
    await closeAll(created);
    const what = failures.length === 1 ? "one item" : `${failures.length} items`;
    throw new OrgLoopError(
      "PLUGINS_FAILED",
      `${what} could not be started:\n${failures.join("\n")}`,
    );
  }
  return { sources, actors, transforms, loggers, created };
}

export async function closeAll(plugins: Iterable<Held<unknown>>): Promise<void> {
  await Promise.all([...plugins].map((one) => one.close()));
}

function isSame(
  wanted: Pick<Plugin<unknown>, "package" | "config">,
  { package: name, config }: Plugin<unknown>,
): boolean {
  return wanted.package === name && isDeepStrictEqual(wanted.config, config);
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
