import type { IncomingMessage, ServerResponse } from "node:http";
import type { EventType, LogEntry, OrgLoopEvent, Provenance } from "@orgloop/sdk";

/** What packages written for OrgLoop 0.7.9 implement (v1alpha1, section 6). */
export interface LegacyRegistration {
  readonly id?: string;
  readonly source?: LegacyClass<LegacySource>;
  readonly target?: LegacyClass<LegacyActor>;
  readonly transform?: LegacyClass<LegacyTransform>;
  readonly logger?: LegacyClass<LegacyLogger>;
  /** A JSON Schema, which nothing checked. */
  readonly configSchema?: unknown;
}

export type LegacyClass<T> = new () => T;

/** An event as 0.7.9's sources make it; nothing there checked that it is whole. */
export interface LegacyEvent {
  readonly id?: string;
  readonly timestamp?: string;
  readonly type?: EventType;
  readonly provenance?: Provenance;
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly trace_id?: string;
}

export interface LegacySource {
  init(config: object): Promise<void>;
  poll(checkpoint: string | null): Promise<{
    readonly events: readonly LegacyEvent[];
    readonly checkpoint?: string;
  }>;
  webhook?(): (req: IncomingMessage, res: ServerResponse) => Promise<readonly LegacyEvent[]>;
  shutdown?(): Promise<void>;
}

export interface LegacyActor {
  init(config: object): Promise<void>;
  deliver(
    event: OrgLoopEvent,
    routeConfig: Readonly<Record<string, unknown>>,
  ): Promise<{
    readonly status: "delivered" | "rejected" | "error" | "skipped";
    readonly error?: Error;
    readonly reason?: string;
  }>;
  shutdown?(): Promise<void>;
}

export interface LegacyTransform {
  init(config: object): Promise<void>;
  execute(
    event: OrgLoopEvent,
    context: {
      readonly source: string;
      readonly target: string;
      readonly eventType: string;
      readonly routeName: string;
    },
  ): Promise<OrgLoopEvent | null | undefined>;
  shutdown?(): Promise<void>;
}

export interface LegacyLogger {
  init(config: object): Promise<void>;
  log(entry: LogEntry): Promise<void>;
  flush?(): Promise<void>;
  shutdown?(): Promise<void>;
}
