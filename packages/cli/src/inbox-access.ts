import type { CommandContext } from "./command.ts";
import { CommandError } from "./command-error.ts";
import { locateData } from "./data-directory.ts";
import { findDaemon } from "./running-daemon.ts";
import { callProcess, findProcess } from "./running-process.ts";

/** Asks the running process about its inboxes (v1alpha1, section 10). Throws `NOT_RUNNING`. */
export async function askInbox<Answer>(
  context: CommandContext,
  what: "drain" | "status" | "list",
  query: Readonly<Record<string, string>>,
): Promise<Answer> {
  const { home, flags } = context;
  const path = `/api/inbox/${what}?${new URLSearchParams(query)}`;
  // An agent runs the command wherever it works: a session is looked for in every project of the daemon.
  const daemon = flags.configGiven ? null : await findDaemon(home);
  if (daemon !== null) return callProcess(home, { port: daemon.port }, path);
  const { dataDir } = await locateData(context);
  const found = await findProcess(home, dataDir);
  if (found === null) {
    throw new CommandError("NOT_RUNNING", "nothing is running here: `orgloop start` first");
  }
  return callProcess(home, found, path);
}
