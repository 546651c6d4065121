import { createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { CommandError } from "../command-error.ts";

/**
 * Gives `use` the file of events that was named, `-` being standard input, and its name for
 * messages. Throws `NO_FILE`.
 */
export async function withEventFile<Result>(
  given: string,
  use: (file: string, shown: string) => Promise<Result>,
): Promise<Result> {
  const spool = given === "-" ? await spoolStdin() : null;
  try {
    const file = spool ?? path.resolve(given);
    const shown = given === "-" ? "stdin" : given;
    if (!(await stat(file).catch(() => null))?.isFile()) {
      throw new CommandError("NO_FILE", `there is no file ${shown}: nothing was sent`);
    }
    return await use(file, shown);
  } finally {
    if (spool !== null) await rm(path.dirname(spool), { recursive: true });
  }
}

/** Standard input in a file, so that all of it can be checked before any of it is sent. */
async function spoolStdin(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), "orgloop-inject-"));
  const file = path.join(directory, "stdin");
  await pipeline(process.stdin, createWriteStream(file, { mode: 0o600 }));
  return file;
}
