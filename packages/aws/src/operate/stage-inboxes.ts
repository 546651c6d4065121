import { wallClock } from "@orgloop/engine";
import { drainInbox, type InboxDrain } from "../inbox/drain-inbox.ts";
import { sqsSender } from "../queue/sqs-sender.ts";
import { dynamoInboxes } from "../state/inbox/inboxes.ts";
import type { OpenStage } from "./open-stage.ts";

/** The inboxes of a stage, for whoever fetches from them. */
export interface StageInboxes {
  /**
   * `done` says that the answer is where it should be: only then it is gone from the inbox. Throws
   * `INBOX_BUSY`.
   */
  drain(session: string, limit: number | undefined): Promise<InboxDrain>;
  pending(session: string): Promise<number>;
  /** Sessions in which something waits. */
  list(): Promise<readonly { readonly session_key: string; readonly pending: number }[]>;
}

export function stageInboxes({
  workspace,
  names,
  table,
  objects,
  sqs,
  queueUrl,
}: OpenStage): StageInboxes {
  const host = {
    stage: workspace,
    inboxes: dynamoInboxes({ ...table, objects }),
    objects,
    sender: sqsSender({ sqs }),
    queueUrlOf: (actor: string) => queueUrl(names.actorQueue(actor)),
    clock: wallClock,
  };
  return {
    drain: (session, limit) => drainInbox(session, limit, host),
    pending: async (session) => (await host.inboxes.state(session)).pending,
    list: () => host.inboxes.sessions(),
  };
}
