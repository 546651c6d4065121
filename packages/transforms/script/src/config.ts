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
});
export type ScriptConfig = z.output<typeof scriptConfig>;
