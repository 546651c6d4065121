import type { ObjectStore, SqsSender } from "@orgloop/bus/sqs";
import type { Clock } from "@orgloop/host";
import type { SharedInboxes } from "@orgloop/stores/dynamodb";

/** What telling an actor of its inbox takes: in a function, and on the command line. */
export interface InboxHost {
  readonly stage: string;
  readonly inboxes: SharedInboxes;
  readonly objects: ObjectStore;
  readonly sender: Pick<SqsSender, "sendEach">;
  readonly queueUrlOf: (actor: string) => string;
  readonly clock: Clock;
}
