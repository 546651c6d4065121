import * as z from "zod/mini";

/** What the host makes of a transform with `type: script` (v1alpha1, section 2). */
export const scriptConfig = z
  .strictObject({
    script: z.string().check(
      z.minLength(1),
      z.meta({
        description:
          "An executable file: a relative path is one from the project and stays in it; an absolute one is taken as it is.",
        examples: ["./scripts/redact.py"],
      }),
    ),
    env: z
      .optional(
        z.union([
          z.array(z.string()),
          z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
        ]),
      )
      .check(
        z.meta({
          description:
            "Names, or names with their values: with it the script gets these, PATH, HOME, LANG, TZ, TMPDIR and the ORGLOOP_ variables. Without it everything that the process has.",
          examples: [["LANG"], { MODE: "strict" }],
        }),
      ),
  })
  .check(
    z.meta({
      title: "Script",
      description:
        "Runs a file for each event, named by `type: script`: the event comes on stdin, what it prints is the event from then on, and no output drops it.",
      examples: [{ script: "./scripts/redact.py", env: [] }],
    }),
  );
export type ScriptConfig = z.output<typeof scriptConfig>;
