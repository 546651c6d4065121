import { type Clock, letterEntry, refusedDelivery, replayRefusal } from "@orgloop/engine";
import type { DeadLetter, Prompt, RouteSpec, Topology } from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";
import { sha256 } from "../plan/message-keys.ts";
import { actorMessage } from "../queue/actor-message.ts";
import type { ObjectStore } from "../queue/message-body.ts";
import { refusalOf } from "../queue/queue-refusal.ts";
import type { FifoMessage, SqsSender } from "../queue/sqs-sender.ts";
import type { DynamoDeadLetters } from "../state/dead-letters.ts";
import type { ListedLetter } from "../state/letter-item.ts";
import type { RefusingQueues } from "../state/refusing-queues.ts";

/** What the routes are by which parked deliveries are sent. */
export interface AppliedTopology {
  readonly topology: Topology;
  /** `topologyHash` of it. */
  readonly hash: string;
}

export interface ResendHost {
  readonly refusing: RefusingQueues;
  readonly letters: Pick<DynamoDeadLetters, "listed" | "get" | "removeRefused">;
  readonly sender: Pick<SqsSender, "sendEach">;
  readonly queueUrlOf: (actor: string) => string;
  readonly objects: ObjectStore;
  /** Read when something waits. */
  readonly applied: () => Promise<AppliedTopology>;
  readonly clock: Pick<Clock, "now">;
  readonly flow: Pick<FlowLog, "log">;
}

/** Letters that are read and sent together. */
const PAGE = 50;
/** What a page may take. */
const MARGIN_MS = 10_000;

/**
 * Sends what queues have refused, of each the oldest first and by itself: it is the probe, one a
 * call. Where that is taken the others follow in their order, and the queue is well when nothing
 * waits for it any more; until then the router parks what comes for it. What a route of now cannot
 * take stays a letter.
 */
export async function resendRefused(host: ResendHost, remainingMs: () => number): Promise<void> {
  let applied: Promise<AppliedTopology> | undefined;
  const once = () => {
    applied ??= host.applied();
    return applied;
  };
  const queues = await host.refusing.load();
  await Promise.all([...queues.keys()].map((actor) => resendTo(actor, once, host, remainingMs)));
}

async function resendTo(
  actor: string,
  applied: ResendHost["applied"],
  host: ResendHost,
  remainingMs: () => number,
): Promise<void> {
  let size = 1;
  for (;;) {
    // Before the letters are listed: what is parked after it keeps the queue from being well.
    const seen = (await host.refusing.load()).get(actor);
    if (seen === undefined) return;
    const { topology, hash } = await applied();
    const waiting = await waitingFor(actor, topology, host);
    for (let at = 0; at < waiting.length; ) {
      if (remainingMs() < MARGIN_MS) return;
      const page = waiting.slice(at, at + size);
      if (!(await sendPage(actor, page, { topology, hash }, host))) return;
      at += size;
      size = PAGE;
    }
    if (await host.refusing.heal(actor, seen)) return;
  }
}

/** In the order in which they were parked. */
async function waitingFor(
  actor: string,
  { routes, actors }: Topology,
  { letters }: ResendHost,
): Promise<readonly ListedLetter[]> {
  const byName = new Map(routes.map((route) => [route.name, route]));
  const ids = new Set(actors.map(({ id }) => id));
  const now = {
    route: (name: string) => byName.get(name),
    hasActor: (id: string) => ids.has(id) || routes.some(({ then }) => then.actor === id),
  };
  const listed = await letters.listed({ actor, reason: "refused" });
  return listed.filter((one) => one.replayed_ms === null && replayRefusal(one, now) === null);
}

/** False: the queue does not take all of it. */
async function sendPage(
  actor: string,
  page: readonly ListedLetter[],
  applied: AppliedTopology,
  { letters, sender, queueUrlOf, objects, clock, flow }: ResendHost,
): Promise<boolean> {
  const found = await Promise.all(page.map(({ id }) => letters.get(id)));
  const still = found.filter((one): one is DeadLetter => one?.reason === "refused");
  const messages = await Promise.all(
    still.map((letter) => messageOf(letter, applied, objects, clock.now())),
  );
  const outcomes = await sender.sendEach(queueUrlOf(actor), messages);
  for (const [at, letter] of still.entries()) {
    if (outcomes[at] !== null) continue;
    await letters.removeRefused(letter.id, letter.last_at);
    const result = "its actor's queue takes deliveries again";
    flow.log({ ...letterEntry(letter), phase: "deliver.retry", result });
  }
  return outcomes.every((error) => error === null || refusalOf(error) === "message");
}

async function messageOf(
  letter: DeadLetter,
  { topology: { routes, sources }, hash }: AppliedTopology,
  objects: ObjectStore,
  nowMs: number,
): Promise<FifoMessage> {
  const route = routes.find(({ name }) => name === letter.route) as RouteSpec;
  const ports = { sources: new Map(sources.map((source) => [source.id, source])), promptOf };
  const delivery = refusedDelivery(letter, route, ports);
  const severalRoutes = routes.filter(({ then }) => then.actor === delivery.actor).length > 1;
  const options = { delivery, route, topologyHash: hash, severalRoutes, nowMs };
  const message = await actorMessage(options, objects);
  // The same as often as this letter is sent, and no other publication's of the event.
  return { ...message, dedupId: sha256(`${message.dedupId}/refused ${letter.last_at}`) };
}

/** As the actor gets it there: the project's folder is not in the function. */
function promptOf({ with: prompt }: RouteSpec): Prompt | undefined {
  return prompt?.prompt;
}
