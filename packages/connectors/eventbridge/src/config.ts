import * as z from "zod";

/**
 * `config` of an EventBridge actor. Credentials and region are the environment's; on AWS the
 * function's own.
 */
export const eventBridgeActorConfig = z
  .strictObject({
    event_bus: z
      .string()
      .min(1)
      .default("default")
      .meta({ description: "Name or ARN of the event bus.", examples: ["orders"] }),
    source: z
      .string()
      .min(1)
      .max(256)
      .refine(
        (value) => !value.startsWith("aws."),
        "expected a source that does not begin with aws.",
      )
      .default("orgloop")
      .meta({
        description: "The events' `source`, by which rules match.",
        examples: ["acme.orgloop"],
      }),
    detail_type: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .meta({
        description:
          "The events' `detail-type`. Default: the platform's name of the event, else its type.",
        examples: ["pull_request.opened"],
      }),
    resources: z
      .array(z.string().min(1))
      .max(20)
      .optional()
      .meta({
        description: "ARNs that the events are about.",
        examples: [["arn:aws:s3:::acme-reports"]],
      }),
    region: z
      .string()
      .min(1)
      .optional()
      .meta({
        description: "The bus's region. Default: the environment's.",
        examples: ["eu-west-1"],
      }),
  })
  .meta({
    title: "EventBridge actor",
    description:
      "Puts events on an Amazon EventBridge bus. Credentials are the environment's; on AWS the function's own.",
    examples: [{ event_bus: "orders", source: "acme.orgloop" }],
  });
export type EventBridgeActorConfig = z.output<typeof eventBridgeActorConfig>;
