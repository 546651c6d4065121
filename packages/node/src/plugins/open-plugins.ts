import { isDeepStrictEqual } from "node:util";
import {
  guardedNetwork,
  type OpenPluginOptions,
  openPlugin,
  type WantedPlugin,
  wantedActor,
  wantedLogger,
  wantedSource,
  wantedTransform,
} from "@orgloop/engine";
import {
  type Actor,
  hasCode,
  type Logger,
  messageOf,
  OrgLoopError,
  type Source,
  type Topology,
  type Transform,
} from "@orgloop/sdk";
import { type InUse, inUse } from "../apply/in-use.ts";

export interface OpenPluginsOptions extends Omit<OpenPluginOptions, "network"> {
  /** `network.allow_private`; absent: everything may be reached. */
  readonly allowPrivate?: readonly string[];
  /** References resolved. */
  readonly topology: Topology;
  /** The same with its references. */
  readonly written: Topology;
  /** What runs already: what is made from the same again is kept. */
  readonly before?: OpenPlugins | undefined;
  /** Where all that is open stands, loggers apart: the event log closes these. */
  readonly open: Set<InUse<unknown>>;
}

/** A part and what it was made from, references resolved. */
export interface Plugin<Part> extends InUse<Part> {
  readonly package: string;
  readonly config: unknown;
}

/** Everything of the topology that runs, by id or name. */
export interface OpenPlugins {
  readonly sources: ReadonlyMap<string, Plugin<Source>>;
  readonly actors: ReadonlyMap<string, Plugin<Actor>>;
  readonly transforms: ReadonlyMap<string, Plugin<Transform>>;
  readonly loggers: ReadonlyMap<string, Plugin<Logger>>;
  /** What these may reach; undefined: everything. */
  readonly allowPrivate: readonly string[] | undefined;
  /** What was not there before. */
  readonly created: readonly InUse<unknown>[];
}

/**
 * Creates what the topology names and `before` does not have: each configuration is checked with
 * its references resolved. All failures are told at once, as `PLUGINS_FAILED`, or as
 * `CONFIG_INVALID` where each is that, and what was created by then is closed.
 */
export async function openPlugins(options: OpenPluginsOptions): Promise<OpenPlugins> {
  const { topology, written, allowPrivate } = options;
  const isReachSame = isDeepStrictEqual(options.before?.allowPrivate, allowPrivate);
  const before = isReachSame ? options.before : undefined;
  const network = guardedNetwork(allowPrivate);
  const created: InUse<unknown>[] = [];
  const failures: { readonly line: string; readonly error: unknown }[] = [];

  async function open<Spec, Running extends object>(
    wantedOf: (spec: Spec) => WantedPlugin<Running>,
    specs: readonly Spec[],
    asWritten: readonly Spec[],
    existing: ReadonlyMap<string, Plugin<Running>> | undefined,
    among = options.open,
  ): Promise<Map<string, Plugin<Running>>> {
    const running = await Promise.all(
      specs.map(async (spec, at) => {
        const one = { ...wantedOf(spec), written: wantedOf(asWritten[at] ?? spec).config };
        const kept = existing?.get(one.id);
        if (kept !== undefined && isSame(one, kept)) return [[one.id, kept]] as const;
        try {
          const { package: name, config } = one;
          const made = inUse(await openPlugin(one, { ...options, network }), among);
          created.push(made);
          return [[one.id, { ...made, package: name, config }]] as const;
        } catch (error) {
          failures.push({ line: `  ${one.item}: ${messageOf(error)}`, error });
          return [];
        }
      }),
    );
    return new Map(running.flat());
  }

  const [sources, actors, transforms, loggers] = await Promise.all([
    open(wantedSource, topology.sources, written.sources, before?.sources),
    open(wantedActor, topology.actors, written.actors, before?.actors),
    open(wantedTransform, topology.transforms, written.transforms, before?.transforms),
    // The event log closes them, when it has told them of everything.
    open(wantedLogger, topology.loggers, written.loggers, before?.loggers, new Set()),
  ]);
  if (failures.length > 0) {
    await closeAll(created);
    const what = failures.length === 1 ? "one item" : `${failures.length} items`;
    const isInvalid = failures.every(({ error }) => hasCode(error, "CONFIG_INVALID"));
    const lines = failures.map(({ line }) => line).join("\n");
    throw new OrgLoopError(
      isInvalid ? "CONFIG_INVALID" : "PLUGINS_FAILED",
      `${what} could not be started:\n${lines}`,
    );
  }
  return { sources, actors, transforms, loggers, allowPrivate, created };
}

export async function closeAll(plugins: Iterable<InUse<unknown>>): Promise<void> {
  await Promise.all([...plugins].map((one) => one.close()));
}

function isSame(
  wanted: Pick<Plugin<unknown>, "package" | "config">,
  { package: name, config }: Plugin<unknown>,
): boolean {
  return wanted.package === name && isDeepStrictEqual(wanted.config, config);
}
