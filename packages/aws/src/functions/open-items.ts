import {
  type Clock,
  guardedNetwork,
  holdsReference,
  type KnownSecrets,
  openPlugin,
  type WantedPlugin,
} from "@orgloop/engine";
import { type ClaimStore, OrgLoopError, type PluginDefinition } from "@orgloop/sdk";
import type { FlowLog } from "./flow-log.ts";
import type { Secrets } from "./secrets.ts";

/** What opening an item takes. */
export interface PluginPorts {
  /** By the names of their packages: those that were bundled. */
  readonly plugins: Readonly<Record<string, PluginDefinition>>;
  /** Absolute. */
  readonly projectDir: string;
  readonly secrets: Secrets;
  readonly claims: ClaimStore;
  readonly clock: Clock;
  readonly flow: FlowLog;
  /** What this function knows of secrets; the log, letters and answers are masked by it. */
  readonly known: KnownSecrets;
  /** What sources and actors may reach beside the public (`network.allow_private`). */
  readonly allowPrivate: readonly string[];
}

interface Opened<Running> {
  readonly running: Promise<Running>;
  /** Infinity where it holds no secret. */
  readonly untilMs: number;
}

/** A changed secret is used after this. */
const ITEM_CACHE_MS = 300_000;

/**
 * Opens items as they are wanted and keeps them while the function is warm; one with secrets is
 * opened anew after 5 minutes. What cannot be opened is tried again the next time. An item is known
 * by its spec itself: whoever asks has one of each.
 */
export function itemOpener<Spec extends object, Running extends { close?(): Promise<void> }>(
  wanted: (spec: Spec) => WantedPlugin<Running>,
  host: PluginPorts,
): (spec: Spec) => Promise<Running> {
  const opened = new Map<Spec, Opened<Running>>();
  const network = guardedNetwork(host.allowPrivate);

  async function open(spec: Spec): Promise<Running> {
    const { item, config: written } = wanted(spec);
    const { clock, claims, flow, plugins, projectDir, secrets } = host;
    return openPlugin(
      { ...wanted(await secrets.resolve(item, spec)), written },
      {
        projectDir,
        now: clock.now,
        claims,
        stateless: true,
        network,
        known: host.known,
        lookup: async (name) => pluginOf(plugins, name),
        warn: (where, message) =>
          flow.log({ phase: "system.error", error: `${where}: ${message}` }),
      },
    );
  }

  return (spec) => {
    const nowMs = host.clock.now();
    const known = opened.get(spec);
    if (known !== undefined && nowMs < known.untilMs) return known.running;
    // What still uses it goes on with it; there is nothing in a warm function that must be closed
    // in time.
    void known?.running.then((running) => running.close?.()).catch(() => undefined);
    const running = open(spec);
    const isSecret = holdsReference(JSON.stringify(spec));
    opened.set(spec, {
      running,
      untilMs: isSecret ? nowMs + ITEM_CACHE_MS : Number.POSITIVE_INFINITY,
    });
    running.catch(() => opened.delete(spec));
    return running;
  };
}

function pluginOf(
  plugins: Readonly<Record<string, PluginDefinition>>,
  name: string,
): PluginDefinition {
  const plugin = Object.hasOwn(plugins, name) ? plugins[name] : undefined;
  if (plugin !== undefined) return plugin;
  throw new OrgLoopError(
    "PLUGIN_NOT_FOUND",
    `package "${name}" was not bundled with this function`,
  );
}
