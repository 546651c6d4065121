import * as z from "zod";
import {
  count,
  duration,
  enabled,
  eventPath,
  filePath,
  flag,
  freeMapping,
  head,
  labels,
  list,
  mapping,
  metadata,
  name,
  oneOf,
  packageName,
  text,
} from "./fields.ts";

export const sourceSchema = mapping({
  id: name("the source's id").describe("The source's id; routes name it in when.source."),
  description: text().optional().describe("What the source is, for people."),
  labels: labels(),
  connector: packageName("connector-github").describe("The npm package that reads this source."),
  config: freeMapping().describe(`The connector's own settings; secrets as \${NAME}.`),
  poll: mapping({
    interval: duration().describe("Time between polls. Default: defaults.poll_interval."),
  })
    .optional()
    .describe("When the source is polled."),
  emits: list(text("an event type"), "event types").describe(
    "The event types that it emits; routes are checked against them.",
  ),
  public: flag()
    .optional()
    .describe(
      "true: takes webhooks that a foreign web page makes a browser send, without a secret. Default: false.",
    ),
  key: eventPath().optional().describe("The ordering key of its events: a path in the event."),
  repeat_window: duration()
    .optional()
    .describe(
      "How long what it has sent is known again. Default: its connector's (github: 7d), else defaults.repeat_window.",
    ),
  repeats: oneOf(["drop", "deliver"])
    .optional()
    .describe(
      "What becomes of what it sends again: drop (default), or deliver, which routes it again once the first is settled.",
    ),
  schemas: z
    .record(z.string(), filePath("the path of a JSON Schema in the project"), {
      error: "a mapping of platform events or types to files",
    })
    .optional()
    .describe(
      "JSON Schemas of its payloads, by provenance.platform_event, else by type: what does not fit becomes a dead letter.",
    ),
  enabled: enabled(),
}).meta({ id: "Source" });

export const actorSchema = mapping({
  id: name("the actor's id").describe("The actor's id; routes name it in then.actor."),
  description: text().optional().describe("What the actor is, for people."),
  labels: labels(),
  connector: packageName("connector-webhook").describe(
    "The npm package that delivers to this actor.",
  ),
  config: freeMapping().describe(`The connector's own settings; secrets as \${NAME}.`),
  queue_depth: count(1).optional().describe("Events that may wait for this actor. Default: 1000."),
  enabled: enabled(),
}).meta({ id: "Actor" });

export const connectorGroupSchema = mapping({
  ...head("ConnectorGroup"),
  metadata: metadata(),
  sources: list(sourceSchema, "sources").describe("Where events come from."),
  actors: list(actorSchema, "actors").describe("Who acts on events."),
});

export type SourceInput = z.infer<typeof sourceSchema>;
export type ActorInput = z.infer<typeof actorSchema>;
