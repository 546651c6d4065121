import { deliveryId } from "@orgloop/engine";
import type { Prompt } from "@orgloop/sdk";
import type { ActorMessage } from "../queue/actor-message.ts";

/** What is kept with an entry: as it was matched, for whoever is to tell its actor. */
export interface EntryOrigin extends Pick<ActorMessage, "topology" | "unresolved" | "policy"> {
  /** As in the message: no secret lies in the table. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly prompt?: Prompt;
  /** Whether the actor has other routes as well. */
  readonly severalRoutes: boolean;
}

export function originOf(message: ActorMessage): EntryOrigin {
  const { topology, unresolved, policy, delivery, delivery_id } = message;
  const { config, prompt } = delivery;
  return {
    topology,
    policy,
    config,
    severalRoutes: delivery_id !== deliveryId(delivery, false),
    ...(unresolved === true && { unresolved }),
    ...(prompt !== undefined && { prompt }),
  };
}
