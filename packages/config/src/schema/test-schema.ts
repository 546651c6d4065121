import { EVENT_TYPES, isMapping, isPath } from "@orgloop/sdk";
import * as z from "zod";
import {
  duration,
  freeMapping,
  head,
  list,
  mapping,
  metadata,
  name,
  oneOf,
  text,
  unknownKey,
  workspaceName,
} from "./fields.ts";
import { filterSchema } from "./route-schema.ts";

const PARTS = /^(provenance|payload)\../;
const EVENT = "an event: the name of one under events, or a mapping with source, payload …";

const EVENT_SHAPE = {
  from: text("the name of an event under events, or the path of a JSON file")
    .optional()
    .describe(
      "What it begins as: an event under events, or a JSON file. The other keys change it.",
    ),
  source: name("the id of a source").optional().describe("Default: the only source there is."),
  type: oneOf(EVENT_TYPES).optional().describe("Default: resource.changed."),
  provenance: freeMapping().describe("Merged deeply over what it begins as."),
  payload: freeMapping().describe("Merged deeply over what it begins as."),
  id: form(/^evt_[A-Za-z0-9]+$/, "evt_ and letters or digits").describe("Default: made up."),
  timestamp: text("a time, ISO 8601").optional().describe("Default: the test's time."),
  trace_id: form(/^trc_[A-Za-z0-9]+$/, "trc_ and letters or digits").describe("Default: made up."),
  ordering_key: text().optional().describe("What the connector would order by."),
};

function form(pattern: RegExp, expected: string) {
  return z
    .string({ error: expected })
    .refine((value) => pattern.test(value), { error: expected })
    .optional()
    .meta({ pattern: pattern.source });
}

/** `payload.a.b: 1` changes one value of what an event begins as. */
const eventSchema = z
  .strictObject(EVENT_SHAPE, { error: EVENT })
  .catchall(z.unknown())
  .superRefine((event, context) => {
    for (const key of Object.keys(event)) {
      if (Object.hasOwn(EVENT_SHAPE, key) || (PARTS.test(key) && isPath(key))) continue;
      const message = unknownKey(key, [...Object.keys(EVENT_SHAPE), "payload.PATH"]);
      context.addIssue({ code: "unrecognized_keys", keys: [key], input: event, message });
    }
  })
  .meta({ id: "TestEvent" });

const givenSchema = z.union([eventSchema, text(EVENT)], { error: EVENT });

const OUTCOME = "dropped, or a mapping with actor, event, config, key, prompt_file, dropped_by …";

const outcomeSchema = z
  .union(
    [
      mapping({
        actor: name("the id of an actor").optional().describe("Who gets it."),
        event: filterSchema.describe(
          "What the transforms made of it, in the words of a route's filter.",
        ),
        config: freeMapping().describe("Values of then.config, with {{…}} filled in."),
        key: text("an ordering key").optional().describe("What it is ordered by."),
        prompt_file: text().optional().describe("The prompt's file."),
        dropped_by: name("the name of a transform").optional().describe("What drops it."),
        halted_by: name("the name of a transform")
          .optional()
          .describe("Whose failure ends the route (on_error: halt, or drop)."),
        passed_by: name("the name of a transform")
          .optional()
          .describe("Whose failure lets the event through (on_error: pass)."),
      }),
      oneOf(["dropped", "delivered"]),
    ],
    { error: OUTCOME },
  )
  .nullish();

const ROUTES = "a list of routes, or a mapping of route to what becomes of the event";

const expectSchema = z.union(
  [
    mapping({
      routes: z
        .union([z.array(name("a route's name")), z.record(z.string(), outcomeSchema)], {
          error: ROUTES,
        })
        .describe("Every route that matches, and what becomes of the event there."),
      others: oneOf(["none", "any"])
        .optional()
        .describe("Whether further routes may match: none (default), any."),
    }),
    oneOf(["no_route"]),
  ],
  { error: "no_route, or a mapping with routes" },
);

const stepShape = {
  given: givenSchema.describe("The event that comes in."),
  expect: expectSchema.describe("What becomes of it; no_route: no route matches."),
};

const caseSchema = mapping({
  name: text("what the test shows").describe("What the test shows, in a few words."),
  given: givenSchema.optional().describe("The event that comes in."),
  expect: expectSchema.optional().describe("What becomes of it; no_route: no route matches."),
  steps: list(
    mapping({
      ...stepShape,
      after: duration(0).optional().describe("Time that passes before it."),
    }),
    "steps, each { given, expect, after }",
  ).describe("Several events in a row, instead of given and expect."),
  params: freeMapping().describe("Of a module: laid over the file's module.params."),
}).superRefine(
  (one, context) => {
    const missing = (key: string, expected: string) =>
      context.addIssue({ code: "custom", path: [key], message: expected, input: undefined });
    if (one.steps) {
      for (const key of ["given", "expect"] as const) {
        if (one[key] === undefined) continue;
        const params = { code: "given-and-steps" };
        const message = `${key} stands in a step where there are steps`;
        context.addIssue({ code: "custom", path: [key], message, params });
      }
      return;
    }
    if (one.given === undefined) missing("given", EVENT);
    if (one.expect === undefined) missing("expect", "no_route, or a mapping with routes");
  },
  { when: ({ value }) => isMapping(value) },
);

/** A `*.test.yaml`: events in, routes, transformed events and actors out. */
export const testSchema = mapping({
  ...head("Test"),
  metadata: metadata(),
  workspace: workspaceName().optional().describe("The workspace that is tested."),
  module: mapping({
    name: name("the instance's name").optional().describe("Default: the module's own name."),
    params: freeMapping().describe(
      "Its parameters. Sources and actors that they name stand in for real ones.",
    ),
    sources: list(name("the id of a source"), "ids of sources").describe(
      "Further sources that stand in.",
    ),
    actors: list(name("the id of an actor"), "ids of actors").describe(
      "Further actors that stand in.",
    ),
  })
    .nullish()
    .describe("In a module's folder: the instance that is tested."),
  time: text("a time, ISO 8601")
    .refine((value) => !Number.isNaN(Date.parse(value)), { error: "a time, ISO 8601" })
    .optional()
    .describe("When the first event of each test comes. Default: 2026-01-01T00:00:00Z."),
  events: z
    .record(z.string(), eventSchema, { error: "a mapping of name to event" })
    .nullish()
    .describe("Events that tests begin with, by name."),
  tests: z
    .array(caseSchema, { error: "a list of tests, each { name, given, expect }" })
    .describe("The tests."),
}).meta({ id: "Test" });

export type TestInput = z.infer<typeof testSchema>;
export type CaseInput = z.infer<typeof caseSchema>;
export type GivenInput = z.infer<typeof givenSchema>;
export type ExpectInput = z.infer<typeof expectSchema>;
export type OutcomeInput = z.infer<typeof outcomeSchema>;
