import { changeInbox, deliveryId, noticeDelivery } from "@orgloop/engine";
import { OrgLoopError } from "@orgloop/sdk";
import { deliveryDedupId, deliveryGroup, sha256 } from "../plan/message-keys.ts";
import type { ActorMessage } from "../queue/actor-message.ts";
import { wrapBody } from "../queue/message-body.ts";
import type { FifoMessage } from "../queue/sqs-sender.ts";
import type { KeptEntry } from "../state/inbox/inbox-entry-items.ts";
import type { EntryOrigin } from "./entry-origin.ts";
import type { InboxHost } from "./inbox-host.ts";

/**
 * Puts the notification of a session into its actor's queue: from there it is delivered, and
 * retried, as any event is, under the policy of the event that waits first. Sent twice under one id
 * it is one. Rejects where the queue does not take it.
 */
export async function sendNotice(
  session: string,
  noticeId: string,
  host: InboxHost,
): Promise<void> {
  const { inboxes, sender, queueUrlOf } = host;
  const oldest = await inboxes.oldest(session);
  if (oldest === null) {
    // Drained meanwhile.
    const drained = await inboxes.change(session, (before) =>
      changeInbox(before, { kind: "notice_delivered" }),
    );
    if (drained.noticeId !== null) await sendNotice(session, drained.noticeId, host);
    return;
  }
  const message = await noticeMessage(session, noticeId, oldest, host);
  const [failure] = await sender.sendEach(queueUrlOf(oldest.entry.actor), [message]);
  if (failure) {
    // The actor was removed: its queue will not come back by itself, and the next event, or a
    // drain, asks anew.
    if (isGone(failure.cause)) {
      await inboxes.change(session, (before) => changeInbox(before, { kind: "notice_failed" }));
    }
    throw failure;
  }
  await inboxes.noticeSent(session, noticeId);
}

/** Also under the name of SQS's older protocol. */
const GONE = ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"];

const isGone = (cause: unknown): boolean => cause instanceof Error && GONE.includes(cause.name);

async function noticeMessage(
  session: string,
  noticeId: string,
  { entry, origin: text }: KeptEntry,
  { stage, inboxes, objects, clock }: InboxHost,
): Promise<FifoMessage> {
  const { event: oldest, route, actor } = entry;
  const origin: EntryOrigin | null = text === null ? null : JSON.parse(text);
  if (origin === null) {
    throw new OrgLoopError("NO_ORIGIN", `${entry.id} does not say how its actor is to be reported`);
  }
  const { topology, policy, config, prompt, unresolved, severalRoutes } = origin;
  const { pending } = await inboxes.state(session);
  const nowMs = clock.now();
  const notice = { sessionKey: session, pending, oldest, workspace: stage, nowMs };
  const delivery = noticeDelivery({ ...notice, route, actor, config, prompt });
  const { event, orderingKey, replay } = delivery;
  const identity = { eventId: event.id, route, replay };
  const message: ActorMessage = {
    topology,
    delivery,
    ...(unresolved === true && { unresolved, about: oldest }),
    policy,
    delivery_id: deliveryId(delivery, severalRoutes),
    matched_at: new Date(nowMs).toISOString(),
  };
  return {
    body: await wrapBody(message, objects, event.id),
    // Its own, whatever the route's order: what goes to an inbox must not wait behind what waits
    // for the actor.
    group: deliveryGroup({ ...identity, orderingKey, order: "key" }),
    // The first event may wait still when its actor is told anew.
    dedupId: sha256(`${deliveryDedupId(identity)}/${noticeId}`),
  };
}
