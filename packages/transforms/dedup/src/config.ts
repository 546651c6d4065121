import { DURATION_PATTERN, messageOf, splitPath } from "@orgloop/sdk";
import * as z from "zod";

const path = z.string().superRefine((value, context) => {
  try {
    splitPath(value);
  } catch (error) {
    context.addIssue({ code: "custom", message: messageOf(error) });
  }
});
const paths = z.array(path).min(1);

/** `config` of a dedup (v1alpha1, section 5). */
export const dedupConfig = z.strictObject({
  key: paths
    .optional()
    .describe("Dot paths whose values make up the dedup key. Default: source, type, id."),
  fields: paths.optional().describe("Another name of `key`, which goes first."),
  window: z
    .string()
    .regex(DURATION_PATTERN, "expected a duration, e.g. 5m")
    .default("5m")
    .describe("How long a key is remembered, from the first event that had it."),
  store: z
    .enum(["memory"])
    .optional()
    .describe(
      "`memory` forgets at a restart. Default: the workspace's durable claims, which do not.",
    ),
  track_delivery: z.boolean().optional().describe("Known from v1alpha1 and ignored."),
});
export type DedupConfig = z.output<typeof dedupConfig>;
