import { existsSync } from "node:fs";
import path from "node:path";
import type { WalProblem } from "@orgloop/bus/file";
import type { CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { locateData } from "./data-directory.ts";

/** Where the file bus's log of the project is. Throws `NO_WAL` where there is none. */
export async function walDirectory(
  context: CommandContext,
): Promise<{ readonly dataDir: string; readonly dir: string }> {
  const { dataDir } = await locateData(context);
  const dir = path.join(dataDir, "wal");
  if (existsSync(dir)) return { dataDir, dir };
  throw new CommandError("NO_WAL", `there is no log in ${dir}: nothing ran on the file bus yet`);
}

/** Where a problem is, what it is, and what is lost with it. */
export function walProblemLine({ file, line, offset, kind, reason, loses }: WalProblem): string {
  const place = line === 0 ? file : `${file}:${line} (byte ${offset})`;
  return `${place}: ${kind}: ${reason}; loses ${loses}`;
}
