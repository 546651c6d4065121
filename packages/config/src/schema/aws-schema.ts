import * as z from "zod";
import { count, duration, form, list, mapping, oneOf, text } from "./fields.ts";

const TOPIC = /^arn:[\w-]+:sns:[\w-]+:\d{12}:[\w.-]+$/;
const EMAIL = /^[^@\s]+@[^@\s]+$/;

const alarms = () =>
  mapping({
    topic_arn: form(TOPIC, "the ARN of an SNS topic", (value) => TOPIC.test(value))
      .optional()
      .describe("The SNS topic that alarms are sent to; it is there already."),
    emails: list(
      form(EMAIL, "an e-mail address", (value) => EMAIL.test(value)),
      "e-mail addresses",
    )
      .optional()
      .describe("Addresses that get a topic of the stage; each has to confirm it once."),
  }).refine(({ topic_arn, emails }) => (topic_arn === undefined) === (emails ?? []).length > 0, {
    error: "either topic_arn or emails",
  });

const INGRESS = ["function_url", "api_gateway", "none"] as const;

const ingress = () =>
  z.union(
    [
      oneOf(INGRESS),
      mapping({
        kind: oneOf(INGRESS).optional().describe("How webhooks come in. Default: function_url."),
        concurrency: count(1)
          .optional()
          .describe("Requests at a time, each about ten a second. Default: 50."),
      }),
    ],
    { error: `one of ${INGRESS.join(", ")}, or a mapping with kind and concurrency` },
  );

const tags = () =>
  z.record(z.string(), z.string({ error: "text" }), { error: "a mapping of tag to text" });

/** `aws` of the manifest or a workspace (the design's Serverless section). */
export const awsSchema = mapping({
  region: text("a region, e.g. eu-west-1").optional().describe("The region of the stage."),
  pollers: oneOf(["per_source", "per_connector"])
    .optional()
    .describe("A poller function a source, or a connector. Default: per_source up to 100 sources."),
  deliverers: oneOf(["per_actor", "per_connector"])
    .optional()
    .describe("A deliver function an actor (default), or a connector whose actors share a secret."),
  concurrency: count(1)
    .optional()
    .describe("Concurrent executions of Lambda that the account has for it. Default: 1000."),
  log_retention: duration().optional().describe("How long the functions' logs are kept."),
  permissions_boundary: text("the ARN of a policy")
    .optional()
    .describe("The permissions boundary of every role."),
  vpc: mapping({
    subnets: list(text("the id of a subnet"), "subnets").describe("Ids of the subnets."),
    security_groups: list(text("the id of a security group"), "security groups").describe(
      "Ids of the security groups.",
    ),
  })
    .nullish()
    .describe("The network that the functions are in."),
  kms_key: text("the ARN of a key").optional().describe("The key that encrypts what rests."),
  tags: tags().nullish().describe("Tags of everything that is deployed."),
  ingress: ingress()
    .optional()
    .describe("How webhooks come in: a kind, or { kind, concurrency }. Default: function_url."),
  alarms: alarms().nullish().describe("Who is told when an alarm goes off. Default: nobody."),
}).meta({ id: "Aws" });
