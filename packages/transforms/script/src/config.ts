import * as z from "zod/mini";

/** What the host makes of a transform with `type: script` (v1alpha1, section 2). */
export const scriptConfig = z.strictObject({
  script: z
    .string()
    .check(
      z.minLength(1),
      z.describe(
        "An executable file: a relative path is one from the project and stays in it; an absolute one is taken as it is.",
      ),
    ),
  env: z
    .optional(
      z.union([
        z.array(z.string()),
        z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      ]),
    )
    .check(
      z.describe(
        "Names, or names with their values: with it the script gets these, PATH, HOME, LANG, TZ, TMPDIR and the ORGLOOP_ variables. Without it everything that the process has.",
      ),
    ),
});
export type ScriptConfig = z.output<typeof scriptConfig>;
