import { DURATION_PATTERN } from "@orgloop/sdk";
import * as z from "zod";

/** `config` of an exec actor. */
export const execActorConfig = z
  .strictObject({
    command: z
      .string()
      .min(1)
      .meta({
        description:
          "A program: its name, found by PATH, or a path, relative ones from the project.",
        examples: ["./scripts/triage.sh"],
      }),
    args: z
      .array(z.string())
      .default([])
      .meta({
        description: "Given as they are: nothing is expanded, but for `args_template`.",
        examples: [["--title", "{{payload.title}}"]],
      }),
    args_template: z
      .boolean()
      .default(false)
      .meta({
        description: "Fills `{{dot.path}}` in `args` from the event; in `command` never.",
        examples: [true],
      }),
    shell: z
      .boolean()
      .default(false)
      .meta({
        description: "Runs `command` as a line of sh; `args` are its $1, $2 …",
        examples: [true],
      }),
    env: z
      .union([
        z.array(z.string().min(1)),
        z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      ])
      .meta({ secret: "references" })
      .optional()
      .meta({
        description:
          "Names, or names with their values: with it the command gets these, PATH, HOME, LANG, TZ, TMPDIR and the ORGLOOP_ variables. Without it everything that the process has, secrets included.",
        examples: [["GH_TOKEN"], { MODE: "review" }],
      }),
    cwd: z
      .string()
      .default(".")
      .meta({
        description: "Where the command runs: a folder of the project.",
        examples: ["scripts"],
      }),
    permanent_exit_code: z
      .int()
      .min(1)
      .max(255)
      .default(100)
      .meta({
        description:
          "The exit code that refuses an event for good. Any other but 0 is tried again.",
        examples: [78],
      }),
    kill_after: z
      .string()
      .regex(DURATION_PATTERN)
      .default("5s")
      .meta({
        description: "After a timeout, the time between SIGTERM and SIGKILL.",
        examples: ["10s"],
      }),
  })
  .meta({
    title: "Exec actor",
    description: "Runs a command for each event, which it gets as JSON on stdin.",
    examples: [{ command: "./scripts/triage.sh", env: ["GH_TOKEN"] }],
  });
export type ExecActorConfig = z.output<typeof execActorConfig>;
