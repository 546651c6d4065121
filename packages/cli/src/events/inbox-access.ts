import type { StageInboxes } from "@orgloop/aws/operate";
import type { DrainAnswer } from "@orgloop/engine";
import { onStage, stageOf } from "../aws/stage.ts";
import type { CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { type DataLocation, locateData } from "../process/data-directory.ts";
import { findDaemon } from "../process/running-daemon.ts";
import { callProcess, findProcess } from "../process/running-process.ts";
import { readProject } from "../project/read-project.ts";

/** How many events wait in a session's inbox. */
interface WaitingSession {
  readonly sessionKey: string;
  readonly pending: number;
}

/** The inboxes of the process that runs; of the stage on AWS. */
export interface InboxAccess {
  /** `done`: it is printed. Until then others may get it too, should this command die. */
  drain(
    key: string,
    limit: number | undefined,
  ): Promise<{ readonly answer: DrainAnswer; done(): Promise<void> }>;
  pending(key: string): Promise<number>;
  list(): Promise<readonly WaitingSession[]>;
}

/** Throws `NOT_RUNNING`. */
export async function withInboxes<Result>(
  context: CommandContext,
  use: (access: InboxAccess) => Promise<Result>,
): Promise<Result> {
  const { home, flags } = context;
  // An agent runs the command wherever it works: a session is looked for in every project of the
  // daemon.
  const daemon = flags.configGiven ? null : await findDaemon(home);
  const located = daemon === null ? await locateData(context) : null;
  const stage = stageOf(context, located?.project ?? (await readProject(context)));
  if (stage !== null) {
    return onStage(stage, (open, { stageInboxes }) => use(ofStage(stageInboxes(open))));
  }
  if (daemon !== null) return use(ofProcess((path) => callProcess(home, daemon, path)));
  const { dataDir } = located as DataLocation;
  const found = await findProcess(home, dataDir);
  if (found === null) {
    throw new CommandError("NOT_RUNNING", "nothing is running here: `orgloop start` first");
  }
  return use(ofProcess((path) => callProcess(home, found, path)));
}

/** v1alpha1, section 10. What a process has answered is gone from the inbox. */
function ofProcess(call: <Answer>(path: string) => Promise<Answer>): InboxAccess {
  const ask = <Answer>(what: string, query: Readonly<Record<string, string>>) =>
    call<Answer>(`/api/inbox/${what}?${new URLSearchParams(query)}`);
  return {
    async drain(key, limit) {
      const most = limit === undefined ? {} : { limit: String(limit) };
      return { answer: await ask("drain", { session_key: key, ...most }), async done() {} };
    },
    async pending(key) {
      return (await ask<{ pending: number }>("status", { session_key: key })).pending;
    },
    async list() {
      return (await ask<{ sessions: readonly WaitingSession[] }>("list", {})).sessions;
    },
  };
}

function ofStage(inboxes: StageInboxes): InboxAccess {
  return {
    pending: inboxes.pending,
    async drain(key, limit) {
      const { events, remaining, continuation, done } = await inboxes.drain(key, limit);
      return { answer: { events, remaining, continuation }, done };
    },
    async list() {
      const sessions = await inboxes.list();
      return sessions.map(({ session_key: sessionKey, pending }) => ({ sessionKey, pending }));
    },
  };
}
