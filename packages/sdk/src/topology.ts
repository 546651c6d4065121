import type { EventType } from "./event.ts";

/**
 * What the files ask for, resolved: modules expanded, overrides merged, defaults filled in,
 * `${vars.x}` replaced. It keeps the words and forms of the configuration (durations as `30s`), so
 * that a plan speaks the user's language. It holds no secret: `${NAME}` stays a reference wherever
 * it stands, until a host resolves it (`resolveReferences` in config). Frozen; items in the order
 * of the files, which is the order in which matching routes fire.
 */
export interface Topology {
  readonly project: string;
  readonly workspace: string;
  readonly bus: BusSpec;
  readonly defaults: DefaultsSpec;
  /** What actors may reach (`docs/configuration.md`, Reach). */
  readonly network?: NetworkSpec;
  /** The account that a workspace on AWS lands in (`docs/configuration.md`, AWS). */
  readonly aws?: AwsSpec;
  readonly sources: readonly SourceSpec[];
  readonly actors: readonly ActorSpec[];
  readonly routes: readonly RouteSpec[];
  readonly transforms: readonly TransformSpec[];
  readonly loggers: readonly LoggerSpec[];
}

/** A duration as `\d+(ms|s|m|h|d)`, or a reference. */
export type Duration = string;
/** `N/s`, `N/m`, `N/h`, or a reference. */
export type Rate = string;

export interface BusSpec {
  /** `memory`, `file`, `sqs`, or a URL: `nats://`, `redis://`, `kafka://`. */
  readonly url: string;
  readonly [option: string]: unknown;
}

export interface DefaultsSpec {
  /** Default `5m`. */
  readonly poll_interval: Duration;
  /** How long the event history is kept; default `7d`. */
  readonly event_retention: Duration;
  /** For how long what a source has sent is known again; default `24h`. */
  readonly repeat_window?: Duration;
  readonly log_level: "debug" | "info" | "warn" | "error";
  readonly checkpoint: { readonly store: "file" | "memory"; readonly dir?: string };
  readonly wal: { readonly rotate: { readonly max_size: string; readonly max_age: Duration } };
  /** Replaces the data directory of the workspace. */
  readonly data_dir?: string;
}

export interface NetworkSpec {
  /** Private ranges and hosts that actors may reach. Default: all in a process, none on `sqs`. */
  readonly allow_private?: readonly string[];
}

/** Every key may be absent; the defaults are the stacks'. */
export type IngressKind = "function_url" | "api_gateway" | "none";

export interface AwsSpec {
  readonly region?: string;
  readonly pollers?: "per_source" | "per_connector";
  readonly deliverers?: "per_actor" | "per_connector";
  readonly log_retention?: Duration;
  /** Concurrent executions of Lambda that the account has for the stage; default 1,000. */
  readonly concurrency?: number;
  /** ARN of a policy. */
  readonly permissions_boundary?: string;
  readonly vpc?: {
    readonly subnets?: readonly string[];
    readonly security_groups?: readonly string[];
  };
  /** ARN of a key. */
  readonly kms_key?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** How webhooks come in: a kind alone, or with how many requests are taken at a time. */
  readonly ingress?: IngressKind | { readonly kind?: IngressKind; readonly concurrency?: number };
  /** Who is told when an alarm goes off: a topic that is there, or one made for these addresses. */
  readonly alarms?: { readonly topic_arn?: string; readonly emails?: readonly string[] };
}

/**
 * What stands in an item's `config` where a secret does, and is a value of `vars`: it is none
 * (`docs/configuration.md`, The manifest).
 */
export type FromVars = readonly string[];

/**
 * Where in an item's `config` a secret is written out that is known as one only by the schema of
 * its package, not by its key's name: for those who have no schema.
 */
export type SecretPaths = readonly (readonly (string | number)[])[];

export interface SourceSpec {
  readonly id: string;
  readonly description?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Package name. */
  readonly connector: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly from_vars?: FromVars;
  readonly secret_paths?: SecretPaths;
  readonly poll?: { readonly interval: Duration };
  readonly emits?: readonly string[];
  /** Takes, without a secret, what a foreign web page makes a browser send. Default false. */
  readonly public?: boolean;
  /** The ordering key: a dot path in the event. */
  readonly key?: string;
  /**
   * For how long what it has sent is known again. Default: its connector's, else
   * `defaults.repeat_window`.
   */
  readonly repeat_window?: Duration;
  /**
   * What becomes of what it sends again. Default `drop`; `deliver` routes it again once the first
   * is settled.
   */
  readonly repeats?: "drop" | "deliver";
  /**
   * JSON Schemas of its payloads, by `provenance.platform_event`, else by type: what does not fit
   * becomes a dead letter at intake. Default: none.
   */
  readonly schemas?: Readonly<Record<string, SchemaSpec>>;
}

/** A source without its schemas, which hold no references, whatever their texts look like. */
export function withoutSchemas({ schemas: _, ...source }: SourceSpec): SourceSpec {
  return source;
}

/** A JSON Schema as it was when the configuration was loaded. */
export interface SchemaSpec {
  /** Relative to the project, with `/`. */
  readonly file: string;
  /** JSON, indented by two spaces. */
  readonly text: string;
}

/**
 * How many deliveries may wait for an actor that does not say, and for one that does not exist yet
 * (`docs/configuration.md`, Defaults).
 */
export const DEFAULT_QUEUE_DEPTH = 1_000;

/** `retry.max_retry_after` where a route does not say it. */
export const DEFAULT_MAX_RETRY_AFTER = "1h";

export interface ActorSpec {
  readonly id: string;
  readonly description?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly connector: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly from_vars?: FromVars;
  readonly secret_paths?: SecretPaths;
  /** Default {@link DEFAULT_QUEUE_DEPTH}. */
  readonly queue_depth: number;
}

export interface RouteSpec {
  readonly name: string;
  readonly description?: string;
  readonly when: {
    readonly source: readonly string[];
    readonly events: readonly EventType[];
    readonly filter?: Filter;
  };
  readonly transforms: readonly TransformUse[];
  readonly then: {
    readonly actor: string;
    readonly config: Readonly<Record<string, unknown>>;
    readonly from_vars?: FromVars;
    /**
     * The actor does not exist yet: a module's `fallback: queue`. Events wait, within the bound,
     * until a Topology has it.
     */
    readonly queue_until_exists?: true;
  };
  readonly delivery: DeliverySpec;
  readonly with?: { readonly prompt_file: string; readonly prompt: PromptSpec };
}

/** Dot path → scalar (strictly equal), or a list of content operators; `$or` → list of filters. */
export type Filter = Readonly<Record<string, unknown>>;

/** The prompt as it was when the configuration was loaded. */
export interface PromptSpec {
  /** Relative to the project, with `/`. */
  readonly file: string;
  readonly text: string;
  readonly meta: Readonly<Record<string, unknown>> | null;
}

export type OnError = "pass" | "drop" | "halt";

export interface TransformUse {
  readonly ref: string;
  readonly on_error?: OnError;
}

export interface TransformSpec {
  readonly name: string;
  readonly type: "script" | "package";
  /** With `script`: relative to the project, with `/`. */
  readonly script?: string;
  /** Of the script's contents, in lower-case hex: an edit is a change. */
  readonly script_sha256?: string;
  readonly package?: string;
  /**
   * With `script`: the variables that it gets; absent: all of the process's
   * (`docs/configuration.md`, Commands and scripts).
   */
  readonly env?: Readonly<Record<string, string | number | boolean>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly from_vars?: FromVars;
  readonly secret_paths?: SecretPaths;
  /** Default 30000. */
  readonly timeout_ms: number;
  readonly on_error: OnError;
}

export interface LoggerSpec {
  readonly name: string;
  /** Package name. */
  readonly type: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly from_vars?: FromVars;
  readonly secret_paths?: SecretPaths;
}

/**
 * A route's delivery policy, every default filled in (`docs/configuration.md`, Routes and
 * Defaults).
 */
export interface DeliverySpec {
  readonly max_rate?: Rate;
  readonly burst: number;
  readonly queue_depth?: number;
  readonly overflow: "drop_oldest" | "drop_newest" | "block";
  readonly max_age?: Duration;
  readonly timeout: Duration;
  readonly order: "key" | "route" | "none";
  /** The ordering key: a dot path in the event. */
  readonly key?: string;
  readonly concurrency: number;
  readonly retry: RetrySpec;
  readonly circuit_breaker: CircuitBreakerSpec | false;
}

export interface RetrySpec {
  /** The first counts. */
  readonly max_attempts: number;
  readonly backoff: "exponential" | "linear" | "fixed";
  readonly initial_delay: Duration;
  readonly max_delay: Duration;
  /**
   * The longest that an actor's Retry-After is waited for; absent in what older versions wrote:
   * {@link DEFAULT_MAX_RETRY_AFTER}.
   */
  readonly max_retry_after?: Duration;
  readonly jitter: "full" | "equal" | "none";
}

export interface CircuitBreakerSpec {
  readonly failure_threshold: number;
  readonly cooldown: Duration;
  readonly max_cooldown: Duration;
}
