import {
  type Actor,
  type ActorSpec,
  type FromVars,
  type Logger,
  type LoggerSpec,
  OrgLoopError,
  type PluginContext,
  type PluginDefinition,
  type PluginLookup,
  type PluginPart,
  type Source,
  type SourceSpec,
  type Transform,
  type TransformSpec,
} from "@orgloop/sdk";
import { parsePluginConfig } from "../settings/parse-plugin-config.ts";
import { secretValues } from "../settings/secret-values.ts";
import type { Network } from "./guarded-network.ts";
import { maskedError } from "./masked-error.ts";
import type { KnownSecrets } from "./secret-mask.ts";

/** What everything of a host that is opened gets. */
export interface OpenPluginOptions
  extends Omit<PluginContext, "id" | "warn" | "mask" | keyof Network> {
  readonly lookup: PluginLookup;
  readonly network: Network;
  /** Told of what the item holds before it is opened. */
  readonly known: KnownSecrets;
  /** Says something of an item to the operator. */
  readonly warn: (item: string, message: string) => void;
}

/** An item of the topology that is to run, references resolved. */
export interface WantedPlugin<Running> {
  /** e.g. `source "github"`. */
  readonly item: string;
  readonly id: string;
  readonly package: string;
  readonly config: unknown;
  /** The same as it is written, references unresolved. */
  readonly written?: unknown;
  readonly fromVars: FromVars | undefined;
  readonly partOf: (definition: PluginDefinition) => PluginPart<unknown, Running> | undefined;
}

/** What a script of the project runs in (v1alpha1, section 5). */
const SCRIPT_PACKAGE = "@orgloop/transform-script";

/**
 * Makes an item run: its configuration is checked first. Throws `PLUGIN_WRONG_KIND`,
 * `CONFIG_INVALID` where its schema refuses it, or what the lookup or the plugin throws.
 */
export async function openPlugin<Running>(
  { item, id, package: name, config, written, fromVars, partOf }: WantedPlugin<Running>,
  {
    lookup,
    warn,
    projectDir,
    now,
    monotonic,
    claims,
    network,
    known,
    stateless,
  }: OpenPluginOptions,
): Promise<Running> {
  const part = partOf(await lookup(name));
  if (part === undefined) {
    throw new OrgLoopError(
      "PLUGIN_WRONG_KIND",
      `${name} is nothing that a ${item.split(" ")[0]} can be made of`,
    );
  }
  known.learn(item, secretValues(part.config, written, config, fromVars));
  const checked = await parsePluginConfig(part.config, config);
  if (checked.errors !== undefined) {
    const said = checked.errors.map(({ path, message }) => [...path.slice(-1), message].join(": "));
    throw new OrgLoopError("CONFIG_INVALID", known.mask(said.join("; ")));
  }
  const context: PluginContext = {
    id,
    projectDir,
    now,
    ...(monotonic !== undefined && { monotonic }),
    claims,
    ...network,
    ...(stateless !== undefined && { stateless }),
    mask: known.maskCut,
    warn: (message) => warn(item, message),
  };
  try {
    return await part.create(checked.value, context);
  } catch (error) {
    throw maskedError(error, known.mask);
  }
}

export function wantedSource({
  id,
  connector,
  config,
  from_vars,
}: SourceSpec): WantedPlugin<Source> {
  return {
    item: `source "${id}"`,
    id,
    package: connector,
    config,
    fromVars: from_vars,
    partOf: (found) => (found.kind === "connector" ? found.source : undefined),
  };
}

export function wantedActor({ id, connector, config, from_vars }: ActorSpec): WantedPlugin<Actor> {
  return {
    item: `actor "${id}"`,
    id,
    package: connector,
    config,
    fromVars: from_vars,
    partOf: (found) => (found.kind === "connector" ? found.actor : undefined),
  };
}

export function wantedTransform(spec: TransformSpec): WantedPlugin<Transform> {
  const script = spec.type === "script";
  return {
    item: `transform "${spec.name}"`,
    id: spec.name,
    package: script ? SCRIPT_PACKAGE : (spec.package ?? ""),
    config: script
      ? { script: spec.script, ...(spec.env !== undefined && { env: spec.env }) }
      : spec.config,
    fromVars: spec.from_vars,
    partOf: (found) => (found.kind === "transform" ? found : undefined),
  };
}

export function wantedLogger({ name, type, config, from_vars }: LoggerSpec): WantedPlugin<Logger> {
  return {
    item: `logger "${name}"`,
    id: name,
    package: type,
    config,
    fromVars: from_vars,
    partOf: (found) => (found.kind === "logger" ? found : undefined),
  };
}
