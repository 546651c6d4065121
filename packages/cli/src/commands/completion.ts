import type { Command as Program } from "commander";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { completionScript, SHELLS } from "../manual/completion-script.ts";

/** `orgloop completion SHELL`: prints what the shell reads to complete commands and options. */
export const completion =
  (program: Program): Command =>
  async ({ output }, [shell]) => {
    const known = SHELLS.find((one) => one === shell);
    if (known === undefined) {
      throw new CommandError("USAGE", `"${shell}": expected one of ${SHELLS.join(", ")}`);
    }
    const script = completionScript(program, known);
    output.result({ shell: known, script }, script.trimEnd());
    return 0;
  };
