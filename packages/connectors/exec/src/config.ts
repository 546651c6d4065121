import { DURATION_PATTERN } from "@orgloop/sdk";
import * as z from "zod";

/** `config` of an exec actor. */
export const execActorConfig = z.strictObject({
  command: z
    .string()
    .min(1)
    .describe("A program: its name, found by PATH, or a path, relative ones from the project."),
  args: z.array(z.string()).default([]).describe("Given as they are: nothing is expanded."),
  shell: z
    .boolean()
    .default(false)
    .describe("Runs `command` as a line of sh; `args` are its $1, $2 …"),
  env: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe("Added to the process's environment and the ORGLOOP_ variables."),
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
