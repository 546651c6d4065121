import * as z from "zod";
import { count, duration, eventPath, mapping, oneOf, rate } from "./fields.ts";

const retrySchema = mapping({
  max_attempts: count(1).optional().describe("Attempts in all, the first counts. Default: 3."),
  backoff: oneOf(["exponential", "linear", "fixed"])
    .optional()
    .describe("How the delay grows. Default: exponential."),
  initial_delay: duration(0).optional().describe("Delay before the second attempt. Default: 1s."),
  max_delay: duration(0).optional().describe("The longest delay. Default: 60s."),
  max_retry_after: duration()
    .optional()
    .describe("The longest that an actor's Retry-After is waited for. Default: 1h."),
  jitter: oneOf(["full", "equal", "none"])
    .optional()
    .describe("How much of the delay is random. Default: full."),
});

const circuitBreakerSchema = mapping({
  failure_threshold: count(1)
    .optional()
    .describe("Failures in a row that open the breaker. Default: 5."),
  cooldown: duration().optional().describe("Hold before the probe. Default: 30s."),
  max_cooldown: duration().optional().describe("The longest hold. Default: 15m."),
});

/** `delivery` of a route, and `defaults.delivery` (`docs/configuration.md`, Routes). */
export const deliverySchema = mapping({
  max_rate: rate().optional().describe("At most so many deliveries: N/s, N/m or N/h."),
  burst: count(1)
    .optional()
    .describe("Deliveries at once within max_rate. Default: 1, evenly spaced."),
  queue_depth: count(1).optional().describe("Events that may wait for this route."),
  overflow: oneOf(["drop_oldest", "drop_newest", "block"])
    .optional()
    .describe("What happens when the queue is full. Default: drop_oldest, to the dead letters."),
  max_age: duration().optional().describe("Older events go to the dead letters as expired."),
  timeout: duration().optional().describe("Time for one attempt. Default: 30s."),
  order: oneOf(["key", "route", "none"]).optional().describe("What keeps its order. Default: key."),
  key: eventPath().optional().describe("The ordering key: a path in the event."),
  concurrency: count(1).optional().describe("Attempts in flight per actor. Default: 16."),
  retry: retrySchema.optional().describe("When and how often a failed attempt is repeated."),
  circuit_breaker: z
    .union([z.literal(false), circuitBreakerSchema], {
      error: "false, or a mapping with failure_threshold, cooldown, max_cooldown",
    })
    .optional()
    .describe("Holds deliveries back after failures in a row; false switches it off."),
}).meta({ id: "Delivery" });

export type DeliveryInput = z.infer<typeof deliverySchema>;
