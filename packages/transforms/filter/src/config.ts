import { messageOf } from "@orgloop/sdk";
import * as z from "zod/mini";
import { compileCriteria } from "./criteria.ts";

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const criteria = z
  .record(
    z.string(),
    z.union([scalar, z.array(scalar)], {
      error: "expected text, a number, true, false, null, or a list of these",
    }),
  )
  .check(
    z.superRefine(async (value, context) => {
      for (const [path, pattern] of Object.entries(value)) {
        try {
          await compileCriteria({ [path]: pattern });
        } catch (error) {
          context.addIssue({ code: "custom", path: [path], message: messageOf(error) });
        }
      }
    }),
  );

/** `config` of a filter (v1alpha1, section 5). An empty one passes everything. */
export const filterConfig = z
  .strictObject({
    exclude: z.optional(criteria).check(
      z.meta({
        description: "Dot path → pattern. Any that matches drops the event.",
        examples: [{ "provenance.author_type": "bot" }],
      }),
    ),
    match: z.optional(criteria).check(
      z.meta({
        description:
          "Dot path → pattern: a value, a list of values, or `/regular expression/`. All must match.",
        examples: [{ "payload.action": ["opened", "reopened"] }],
      }),
    ),
    match_any: z.optional(criteria).check(
      z.meta({
        description: "Dot path → pattern. At least one must match.",
        examples: [{ "payload.title": "/urgent/i", "payload.priority": 1 }],
      }),
    ),
    jq: z.optional(z.string()).check(
      z.meta({
        description:
          "A jq 1.8 expression; replaces the other three. null, false, nothing or an error in it drops the event; an object with `id` replaces the event.",
        examples: [".payload.additions > 10"],
      }),
    ),
  })
  .check(
    z.meta({
      title: "Filter",
      description:
        "Drops events by patterns, or by a jq expression. An empty one passes everything.",
      examples: [{ exclude: { "provenance.author_type": "bot" } }],
    }),
  );
export type FilterConfig = z.output<typeof filterConfig>;
