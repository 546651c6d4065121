import type { WalRepair } from "@orgloop/bus/file";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { findProcess } from "../process/running-process.ts";
import { walDirectory, walProblemLine } from "../process/wal-directory.ts";

export interface WalRepairOptions {
  readonly yes?: boolean;
}

/**
 * `orgloop wal repair`: shows what would be done and lost, asks, and does it. Never while a process
 * works on the data.
 */
export const walRepair: Command<WalRepairOptions> = async (context, _args, { yes = false }) => {
  const { output, home } = context;
  const { dataDir, dir } = await walDirectory(context);
  const found = await findProcess(home, dataDir);
  if (found !== null) {
    const message = `process ${found.pid} works on ${dataDir}: \`orgloop stop\` it first`;
    throw new CommandError("LOCKED", message);
  }
  const { repairWal } = await import("@orgloop/bus/file");
  const plan = await repairWal(dir);
  if (plan.actions.length === 0) {
    output.result(plan, "Nothing to repair.");
    return 0;
  }
  output.note(planText(plan));
  const agreed = yes || (await output.confirm("Do this?"));
  if (agreed === null) {
    throw new CommandError(
      "NOT_CONFIRMED",
      "nothing was changed: --yes agrees where nobody can be asked",
    );
  }
  if (!agreed) {
    output.result(plan, "Nothing was changed.");
    return 1;
  }
  const done = await repairWal(dir, { apply: true });
  output.result(
    done,
    [...done.actions.map((text) => `done: ${text}`), "The log can be opened."].join("\n"),
  );
  return 0;
};

function planText({ problems, actions }: WalRepair): string {
  return [
    "Found:",
    ...problems.map((problem) => `  ${walProblemLine(problem)}`),
    "A repair would:",
    ...actions.map((text) => `  ${text}`),
  ].join("\n");
}
