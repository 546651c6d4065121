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
export const filterConfig = z.strictObject({
  exclude: z
    .optional(criteria)
    .check(z.describe("Dot path → pattern. Any that matches drops the event.")),
  match: z.optional(criteria).check(z.describe("Dot path → pattern. All must match.")),
  match_any: z.optional(criteria).check(z.describe("Dot path → pattern. At least one must match.")),
  jq: z
    .optional(z.string())
    .check(
      z.describe(
        "A jq 1.8 expression; replaces the other three. null, false, nothing or an error in it drops the event; an object with `id` replaces the event.",
      ),
    ),
});
export type FilterConfig = z.output<typeof filterConfig>;
