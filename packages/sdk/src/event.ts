/** What kind of occurrence an event is (v1alpha1, section 3). */
export const EVENT_TYPES = ["resource.changed", "actor.stopped", "message.received"] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Where an event comes from. Further keys are the connector's own. */
export interface Provenance {
  /** The platform, e.g. `github`, `cron`, `webhook`. */
  readonly platform: string;
  /** The platform's own name of the event, e.g. `pull_request.opened`. */
  readonly platform_event?: string;
  readonly author?: string;
  readonly author_type?: "team_member" | "external" | "bot" | "system" | "unknown";
  readonly [key: string]: unknown;
}

/**
 * The envelope every source, route, transform and actor sees (v1alpha1, section 3). Never mutated.
 */
export interface OrgLoopEvent {
  /** `evt_` and letters or digits. The same occurrence has the same id however often it is seen. */
  readonly id: string;
  /** When it happened, ISO 8601, UTC. */
  readonly timestamp: string;
  /** The id of the source. Buses group and partition by it. */
  readonly source: string;
  readonly type: EventType;
  readonly provenance: Provenance;
  readonly payload: Readonly<Record<string, unknown>>;
  /** `trc_` and letters or digits; kept by every event that this one causes. */
  readonly trace_id: string;
  /** What the connector orders by, e.g. `acme/api#12`; absent: the source's id orders. */
  readonly ordering_key?: string;
  /** The project's name (v1alpha1, sections 9 and 10). */
  readonly module?: string;
  /** Which replay of the event this is, from 1; absent the first time. The id stays. */
  readonly replay?: number;
}

/**
 * What a source hands over; the host completes it (`completeEvent` in core). `identity` is the
 * platform's own id and version of the occurrence, e.g. `issue/42@2026-11-01T00:00:00Z`, or the
 * sender's delivery id: the event's id is a hash of source and identity (or `id`, where that is
 * given, too), so that the same thing seen twice is one event. What comes with an `identity` is
 * known again for the source's `repeat_window`; an `id` alone is none that anybody gave. Without
 * `id` and `identity` the id is random.
 */
export interface EventDraft {
  readonly id?: string;
  readonly identity?: string;
  /** Default: now. */
  readonly timestamp?: string;
  /** Default: `resource.changed`. */
  readonly type?: EventType;
  readonly provenance: Provenance;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly trace_id?: string;
  readonly ordering_key?: string;
}
