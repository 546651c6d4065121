import type { LookupFunction } from "node:net";
import type { Actor } from "./actor.ts";
import type { ClaimStore } from "./claim-store.ts";
import type { EventType } from "./event.ts";
import type { Logger } from "./logger.ts";
import type { Source } from "./source.ts";
import type { StandardSchema } from "./standard-schema.ts";
import type { Duration } from "./topology.ts";
import type { Transform } from "./transform.ts";

/** What a host gives to everything it creates. */
export interface PluginContext {
  /** The id or name of the item in the configuration. */
  readonly id: string;
  /** Absolute path of the project; relative paths in `config` are from here. */
  readonly projectDir: string;
  /** Ms since the epoch by the machine's clock, which may be set at any time: for what is told. */
  readonly now: () => number;
  /**
   * Ms since the epoch by a clock that nobody sets: for intervals and windows. Absent: `now`, on a
   * host that has none.
   */
  readonly monotonic?: () => number;
  /** Durable claims of the workspace, for whatever must remember beyond a restart. */
  readonly claims: ClaimStore;
  /**
   * As the global one, but it reaches only what the configuration allows (`docs/configuration.md`,
   * Reach): all else fails, with a `PRIVATE_ADDRESS` error as its cause. Nothing else is to be used
   * for reaching others, but what takes `lookup`.
   */
  readonly fetch: typeof globalThis.fetch;
  /**
   * For `http.request` and the like: what a name stands for. Throws `PRIVATE_ADDRESS` where that
   * may not be reached. Node does not ask for a host that is an address already: ask for that
   * beforehand, it is passed on as it is.
   */
  readonly lookup: LookupFunction;
  /**
   * True where the host may be gone after each call, as a cloud function is: what has to be
   * remembered goes into `claims`.
   */
  readonly stateless?: boolean;
  /**
   * A text without the secrets of the project. The host masks what it logs and what is thrown;
   * whoever cuts a text short masks it before, since the rest of a secret is not found as one.
   */
  readonly mask: (text: string) => string;
  /** Says something to the operator that is no event: a warning of the connector. */
  readonly warn: (message: string) => void;
}

/**
 * One side of a connector, a transform or a logger: the schema of its `config`, and how one is made
 * from it.
 */
export interface PluginPart<Config, Running> {
  /**
   * Checked by `validate` and again, with references resolved, before `create`. Unknown keys are
   * warnings.
   */
  readonly config: StandardSchema<Config>;
  /**
   * Keys of `config` whose texts, also nested ones, are templates (`parseTemplate`): `validate`
   * reads them, and warns of placeholders under other keys. A function where that depends on the
   * config, which is as it was written. Absent: nobody knows, and nothing is warned of.
   */
  readonly templates?: readonly string[] | ((config: unknown) => readonly string[]);
  /**
   * Keys of `config` that hold paths in the event: the texts of a list, or the keys of a mapping.
   */
  readonly paths?: readonly string[];
  /**
   * Keys of `config` that name a program: by a path from the project where there is a `/` in it.
   * `validate` warns of one that is not there. A function where that depends on the config.
   */
  readonly programs?: readonly string[] | ((config: unknown) => readonly string[]);
  /**
   * Opens what it needs; heavy imports belong in here. The references in `config` are resolved. A
   * method, so that hosts can hold parts of every configuration type.
   */
  create(config: Config, context: PluginContext): Promise<Running>;
}

/** How events come from a source: it is asked, or it is sent requests. */
export type Intake = "poll" | "receive";

/** The source of a connector. */
export interface SourcePart<Config> extends PluginPart<Config, Source> {
  /**
   * Which of `poll` and `receive` its sources have, known before one is created: what is deployed
   * for a source depends on it. A function where that depends on the config, which is as it was
   * written. Default: `["poll"]`.
   */
  readonly intake?: readonly Intake[] | ((config: unknown) => readonly Intake[]);
  /**
   * For how long its sources are known to send the same again, where a source's `repeat_window`
   * does not say: `7d`.
   */
  readonly repeatWindow?: Duration;
  /**
   * All types that its events may have: `validate` warns of a route that waits for another. Absent:
   * nobody knows.
   */
  readonly emits?: readonly EventType[];
  /**
   * Its events say what they are ordered by (`ordering_key`): a bus that orders by groups may
   * handle those of different keys beside each other. Default: false, as far as anybody knows.
   */
  readonly keyed?: boolean;
}

/** What a package named under `connector:` exports as its default. */
export interface ConnectorDefinition<SourceConfig = unknown, ActorConfig = unknown> {
  readonly kind: "connector";
  /** Short name, e.g. `github`. */
  readonly id: string;
  readonly source?: SourcePart<SourceConfig>;
  readonly actor?: PluginPart<ActorConfig, Actor>;
}

/** What a package named under `package:` of a transform exports as its default. */
export interface TransformDefinition<Config = unknown> extends PluginPart<Config, Transform> {
  readonly kind: "transform";
  readonly id: string;
}

/** What a package named under `type:` of a logger exports as its default. */
export interface LoggerDefinition<Config = unknown> extends PluginPart<Config, Logger> {
  readonly kind: "logger";
  readonly id: string;
}

export type PluginDefinition = ConnectorDefinition | TransformDefinition | LoggerDefinition;

/**
 * Finds the package of that name: in the project first, then among our own. Throws
 * `PLUGIN_NOT_FOUND`.
 */
export type PluginLookup = (packageName: string) => Promise<PluginDefinition>;

/**
 * Declares a connector; infers the types of its configurations.
 *
 * @example
 * export default defineConnector({
 *   id: "board",
 *   actor: {
 *     config: z.strictObject({ url: z.url() }),
 *     create: async ({ url }, { fetch }) => ({
 *       async deliver(event, { signal }) {
 *         const answer = await fetch(url, { method: "POST", body: JSON.stringify(event), signal });
 *         if (answer.status >= 500) throw new Error(`the board answered ${answer.status}`);
 *         if (!answer.ok) throw new PermanentError(`the board answered ${answer.status}`);
 *         return { status: "delivered" };
 *       },
 *     }),
 *   },
 * });
 */
export function defineConnector<S, A>(
  definition: Omit<ConnectorDefinition<S, A>, "kind">,
): ConnectorDefinition<S, A> {
  return { kind: "connector", ...definition };
}

/**
 * Declares a transform; infers the type of its configuration.
 *
 * @example
 * export default defineTransform({
 *   id: "only",
 *   config: z.strictObject({ platform: z.string() }),
 *   create: async ({ platform }) => ({
 *     inline: true,
 *     execute: async (event) => (event.provenance.platform === platform ? event : null),
 *   }),
 * });
 */
export function defineTransform<C>(
  definition: Omit<TransformDefinition<C>, "kind">,
): TransformDefinition<C> {
  return { kind: "transform", ...definition };
}

/**
 * Declares a logger; infers the type of its configuration.
 *
 * @example
 * export default defineLogger({
 *   id: "lines",
 *   config: z.strictObject({}),
 *   create: async () => ({ log: (entry) => console.error(entry.phase, entry.event_id) }),
 * });
 */
export function defineLogger<C>(
  definition: Omit<LoggerDefinition<C>, "kind">,
): LoggerDefinition<C> {
  return { kind: "logger", ...definition };
}
