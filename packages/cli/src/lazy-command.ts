import { type Command, Option } from "commander";
import type { Command as Run } from "./command.ts";
import { type RawFlags, runCommand } from "./run-command.ts";

export function portOption(): Option {
  return new Option("--port <n>", "port on 127.0.0.1; 0 takes a free one").default(
    undefined,
    "ORGLOOP_PORT or 4800",
  );
}

/**
 * Turns a command's import into what commander calls: positional arguments, then options, then the
 * command.
 */
export function lazy<Options>(load: () => Promise<Run<Options>>) {
  return async (...received: unknown[]): Promise<void> => {
    const command = received.at(-1) as Command;
    const options = received.at(-2) as Options;
    const run = await load();
    await runCommand(run, rootFlags(command), command.args, options);
  };
}

function rootFlags(command: Command): RawFlags {
  return command.parent === null ? command.opts() : rootFlags(command.parent);
}
