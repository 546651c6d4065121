import { DURATION_PATTERN } from "@orgloop/sdk";
import * as z from "zod";

/** `config` of an exec actor. */
export const execActorConfig = z.strictObject({
  command: z
    .string()
    .min(1)
    .describe("A program: its name, found by PATH, or a path, relative ones from the project."),
  args: z
    .array(z.string())
    .default([])
    .describe("Given as they are: nothing is expanded, but for `args_template`."),
  args_template: z
    .boolean()
    .default(false)
    .describe("Fills `{{dot.path}}` in `args` from the event; in `command` never."),
  shell: z
    .boolean()
    .default(false)
    .describe("Runs `command` as a line of sh; `args` are its $1, $2 …"),
  env: z
    .union([
      z.array(z.string().min(1)),
      z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    ])
    .meta({ secret: "references" })
    .optional()
    .describe(
      "Names, or names with their values: with it the command gets these, PATH, HOME, LANG, TZ, TMPDIR and the ORGLOOP_ variables. Without it everything that the process has, secrets included.",
    ),
  cwd: z
    .string()
    .default(".")
    .describe("Where the command runs: a folder of the project. Default: the project."),
  permanent_exit_code: z
    .int()
    .min(1)
    .max(255)
    .default(100)
    .describe("The exit code that refuses an event for good. Any other but 0 is tried again."),
  kill_after: z
    .string()
    .regex(DURATION_PATTERN)
    .default("5s")
    .describe("After a timeout, the time between SIGTERM and SIGKILL."),
});
export type ExecActorConfig = z.output<typeof execActorConfig>;
