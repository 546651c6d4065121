import { CommanderError } from "commander";
import { CommandError } from "./command-error.ts";
import { orgloopProgram } from "./program.ts";
import { reportError } from "./run-command.ts";
import { endOnBrokenPipe, processOutput } from "./terminal/output.ts";

endOnBrokenPipe();
const argv = process.argv.slice(2);
try {
  await orgloopProgram().parseAsync(argv, { from: "user" });
} catch (error) {
  // Only what commander refused arrives here: commands report for themselves. Status 0 is help or
  // --version.
  if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = 0;
  else {
    process.exitCode = 1;
    const flags = { json: argv.includes("--json"), verbose: false, quiet: false, color: true };
    reportError(processOutput(flags), flags, usageError(error));
  }
}

function usageError(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error;
  if (error.code === "commander.help") {
    return new CommandError("USAGE", "which command? `orgloop help` lists them");
  }
  return new CommandError("USAGE", error.message.replace(/^error: /, "").replaceAll("\n", " "));
}
