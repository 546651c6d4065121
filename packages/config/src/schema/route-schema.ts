import { EVENT_TYPES, isMapping } from "@orgloop/sdk";
import * as z from "zod";
import { deliverySchema } from "./delivery-schema.ts";
import {
  enabled,
  filePath,
  freeMapping,
  head,
  list,
  mapping,
  metadata,
  name,
  oneOf,
  oneOrMore,
  text,
} from "./fields.ts";
import { refineFilter } from "./filter.ts";

export const onErrorSchema = () => oneOf(["pass", "drop", "halt"]).optional();

const FILTER = "a mapping of event path to value or operators";

export const filterSchema = (
  z.unknown().superRefine((filter, context) => {
    if (isMapping(filter)) refineFilter(filter, context);
    else if (filter !== undefined && filter !== null)
      context.addIssue({ code: "custom", message: FILTER });
  }) as unknown as z.ZodType<Record<string, unknown> | null, Record<string, unknown> | null>
)
  .meta({ filter: true })
  .optional();

const transformUseSchema = mapping({
  ref: name("the name of a transform").describe("The transform's name."),
  config: freeMapping().describe("Listed by v1alpha1 and ignored: configure the transform itself."),
  on_error: onErrorSchema().describe(
    "What happens when it fails: pass, drop or halt. Default: the transform's own.",
  ),
});

export const routeSchema = mapping({
  name: name("the route's name").describe("The route's name."),
  description: text().optional().describe("What the route is for."),
  when: mapping({
    source: oneOrMore(name("the id of a source"), "the id of a source, or a list of them").describe(
      "The source or sources whose events match.",
    ),
    events: oneOrMore(oneOf(EVENT_TYPES), `one or more of ${EVENT_TYPES.join(", ")}`).describe(
      "The event types that match.",
    ),
    filter: filterSchema.describe(
      "Event path → value, or list of content operators; $or → list of filters.",
    ),
  }).describe("Which events take this route."),
  transforms: list(transformUseSchema, "transforms, each { ref: NAME }").describe(
    "Transforms, in order.",
  ),
  then: mapping({
    actor: name("the id of an actor").describe("The actor that gets the event."),
    config: freeMapping().describe(
      "Settings for the actor; {{dot.path}} is filled in from the event.",
    ),
    delivery: deliverySchema.optional().describe("The delivery policy."),
  }).describe("Who acts, and how it is delivered."),
  delivery: deliverySchema.optional().describe("The delivery policy; the same as then.delivery."),
  with: mapping({
    prompt_file: filePath()
      .optional()
      .describe("A prompt file, beside this file or from the project's root."),
  })
    .nullish()
    .describe("What goes to the actor with the event."),
  enabled: enabled(),
}).meta({ id: "Route" });

export const routeGroupSchema = mapping({
  ...head("RouteGroup"),
  metadata: metadata(),
  routes: list(routeSchema, "routes").describe("Routes, in the order in which they fire."),
});

export type RouteInput = z.infer<typeof routeSchema>;
