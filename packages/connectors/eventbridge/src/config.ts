import * as z from "zod";

/**
 * `config` of an EventBridge actor. Credentials and region are the environment's; on AWS the
 * function's own.
 */
export const eventBridgeActorConfig = z.strictObject({
  event_bus: z
    .string()
    .min(1)
    .default("default")
    .describe("Name or ARN of the event bus. Default: the account's `default` bus."),
  source: z
    .string()
    .min(1)
    .max(256)
    .refine((value) => !value.startsWith("aws."), "expected a source that does not begin with aws.")
    .default("orgloop")
    .describe("The events' `source`, by which rules match. Default: `orgloop`."),
  detail_type: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe(
      "The events' `detail-type`. Default: the platform's name of the event, else its type.",
    ),
  resources: z
    .array(z.string().min(1))
    .max(20)
    .optional()
    .describe("ARNs that the events are about."),
  region: z.string().min(1).optional().describe("Default: the environment's."),
});
export type EventBridgeActorConfig = z.output<typeof eventBridgeActorConfig>;
