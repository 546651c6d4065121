import type { Clock } from "@orgloop/engine";
import type { ObjectStore } from "../queue/message-body.ts";
import type { SqsSender } from "../queue/sqs-sender.ts";
import type { SharedInboxes } from "../state/inbox/shared-inboxes.ts";

/** What telling an actor of its inbox takes: in a function, and on the command line. */
export interface InboxHost {
  readonly stage: string;
  readonly inboxes: SharedInboxes;
  readonly objects: ObjectStore;
  readonly sender: Pick<SqsSender, "sendEach">;
  readonly queueUrlOf: (actor: string) => string;
  readonly clock: Clock;
}
