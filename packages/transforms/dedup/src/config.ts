import { DURATION_PATTERN, messageOf, splitPath } from "@orgloop/sdk";
import * as z from "zod/mini";

const path = z.string().check(
  z.superRefine((value, context) => {
    try {
      splitPath(value);
    } catch (error) {
      context.addIssue({ code: "custom", message: messageOf(error) });
    }
  }),
);
const paths = z.array(path).check(z.minLength(1));

/** `config` of a dedup (v1alpha1, section 5). */
export const dedupConfig = z.strictObject({
  key: z
    .optional(paths)
    .check(z.describe("Dot paths whose values make up the dedup key. Default: source, type, id.")),
  fields: z.optional(paths).check(z.describe("Another name of `key`, which goes first.")),
  window: z
    ._default(z.string().check(z.regex(DURATION_PATTERN, "expected a duration, e.g. 5m")), "5m")
    .check(z.describe("How long a key is remembered, from the first event that had it.")),
  store: z
    .optional(z.enum(["memory"]))
    .check(
      z.describe(
        "`memory` forgets at a restart. Default: the workspace's durable claims, which do not.",
      ),
    ),
  track_delivery: z.optional(z.boolean()).check(z.describe("Known from v1alpha1 and ignored.")),
});
export type DedupConfig = z.output<typeof dedupConfig>;
