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
export const dedupConfig = z
  .strictObject({
    key: z.optional(paths).check(
      z.meta({
        description: "Dot paths whose values make up the dedup key. Default: source, type, id.",
        examples: [["source", "payload.pull_request.head.sha"]],
      }),
    ),
    fields: z.optional(paths).check(
      z.meta({
        description: "Another name of `key`, which goes first.",
        examples: [["payload.number"]],
      }),
    ),
    window: z
      ._default(z.string().check(z.regex(DURATION_PATTERN, "expected a duration, e.g. 5m")), "5m")
      .check(
        z.meta({
          description: "How long a key is remembered, from the first event that had it.",
          examples: ["1h"],
        }),
      ),
    store: z.optional(z.enum(["memory"])).check(
      z.meta({
        description:
          "`memory` forgets at a restart. Default: the workspace's durable claims, which do not.",
        examples: ["memory"],
      }),
    ),
    track_delivery: z.optional(z.boolean()).check(
      z.meta({
        description: "Known from v1alpha1 and ignored.",
        examples: [true],
        deprecated: true,
      }),
    ),
  })
  .check(
    z.meta({
      title: "Dedup",
      description: "Drops an event whose key another event had within a window.",
      examples: [{ key: ["source", "payload.pull_request.head.sha"], window: "1h" }],
    }),
  );
export type DedupConfig = z.output<typeof dedupConfig>;
