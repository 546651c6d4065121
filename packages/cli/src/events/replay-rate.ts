import { RATE_PATTERN } from "@orgloop/sdk";
import { CommandError } from "../command-error.ts";

/** `--rate` as the control API wants it. Throws `USAGE`. */
export function replayRate(rate: string | undefined): { readonly rate?: string } {
  if (rate === undefined) return {};
  if (!RATE_PATTERN.test(rate) || rate.startsWith("0/")) {
    throw new CommandError("USAGE", `--rate "${rate}": expected N/s, N/m or N/h, e.g. 5/s`);
  }
  return { rate };
}

/** Only the process has queues to put something into. */
export function needsProcess(): CommandError {
  return new CommandError(
    "NOT_RUNNING",
    "a replay needs the running process: `orgloop start` it first; nothing was replayed",
  );
}
