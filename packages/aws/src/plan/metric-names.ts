/**
 * The namespace of our own metrics in CloudWatch. Their one dimension is `Stage`: routes and actors
 * are in the logs.
 */
export const METRIC_NAMESPACE = "OrgLoop";
export const METRIC_DIMENSION = "Stage";

/**
 * What the functions count, by embedded metric format; the dashboard and the alarms read these
 * names.
 */
export const METRICS = {
  /** Events put on the bus by pollers and the receiver. */
  published: "EventsPublished",
  /** Requests that were refused by their source: signatures, forms. */
  refused: "RequestsRefused",
  /** Events that their source had published before; counted by the router. */
  repeats: "SourceRepeats",
  /** What came back although it had been given up: its dead letter stands. */
  skipped: "MessagesSkipped",
  /** Polls that failed. */
  pollErrors: "PollErrors",
  /** Events the router has settled. */
  routed: "EventsRouted",
  /** Deliveries that matched, sent to actor queues. */
  matched: "DeliveriesMatched",
  delivered: "DeliveriesDelivered",
  /** Attempts that failed. */
  failed: "AttemptsFailed",
  /** Deliveries that were put off: retries, open breakers, rates. */
  held: "DeliveriesHeld",
  deadLetters: "DeadLetters",
  /** Placeholders of templates that led nowhere in their event. */
  missing: "TemplateValuesMissing",
  /** Rejections that nobody handled: a plug-in's fault. */
  unhandled: "UnhandledRejections",
  breakersOpened: "BreakersOpened",
  breakersClosed: "BreakersClosed",
  /** Routes whose breaker is open now; counted by the sweeper. */
  breakersOpen: "BreakersOpen",
  /** Polled sources, as the sweeper found them: all, and those of them that are late or fail. */
  sourcesWatched: "SourcesWatched",
  sourcesStale: "SourcesStale",
  sourcesFailing: "SourcesFailing",
  /** Milliseconds from the event's time to its delivery. */
  lag: "DeliveryLag",
  /** Milliseconds that a delivery has waited in its actor's queue when it is put off once more. */
  waited: "DeliveryWaited",
} as const;
