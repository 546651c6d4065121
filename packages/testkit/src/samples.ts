import type { DefaultsSpec, DeliverySpec, RouteSpec, StandardSchema } from "@orgloop/sdk";

/**
 * A policy of which a test changes what it is about: three attempts, 10 s apart, without jitter; no
 * breaker; no rate.
 */
export const SAMPLE_DELIVERY: DeliverySpec = {
  burst: 1,
  overflow: "drop_oldest",
  timeout: "30s",
  order: "key",
  concurrency: 1,
  retry: {
    max_attempts: 3,
    backoff: "fixed",
    initial_delay: "10s",
    max_delay: "1h",
    jitter: "none",
  },
  circuit_breaker: false,
};

export const SAMPLE_DEFAULTS: DefaultsSpec = {
  poll_interval: "5m",
  event_retention: "7d",
  log_level: "error",
  checkpoint: { store: "memory" },
  wal: { rotate: { max_size: "64mb", max_age: "1h" } },
};

/** A route from source `s` to actor `agent`, under {@link SAMPLE_DELIVERY} but for what is said. */
export function sampleRoute(name: string, delivery: Partial<DeliverySpec> = {}): RouteSpec {
  return {
    name,
    when: { source: ["s"], events: ["resource.changed"] },
    transforms: [],
    then: { actor: "agent", config: {} },
    delivery: { ...SAMPLE_DELIVERY, ...delivery },
  };
}

/** The schema of a plugin that takes every configuration as it is. */
export const anyConfig = <Config>(): StandardSchema<Config> => ({
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: value as Config }) },
});
