import {
  isUnfitLetter,
  letterDelivery,
  letterOfReplay,
  publicationOfReplay,
  replayPace,
  replayRefusal,
  systemClock,
  unfitLetter,
} from "@orgloop/engine";
import { eventSchemas } from "@orgloop/engine/event-schemas";
import type { DeadLetter, OrgLoopEvent, Prompt, RouteSpec, Topology } from "@orgloop/sdk";
import { actorMessage } from "../queue/actor-message.ts";
import { sqsSender } from "../queue/sqs-sender.ts";
import type { DynamoDeadLetters } from "../state/dead-letters.ts";
import { dynamoReplayNumbers } from "../state/replay-numbers.ts";
import { awsCalls } from "./aws-calls.ts";
import type { OpenStage } from "./open-stage.ts";
import { sendEvents } from "./send-events.ts";

/** What `dead-letters replay` answers. */
export interface LetterReplayAnswer {
  readonly dry_run: boolean;
  readonly matched: number;
  readonly started?: number;
  readonly under_way?: number;
  readonly refused: readonly RefusedLetter[];
}

export interface RefusedLetter {
  readonly id: string;
  readonly error: string;
}

type Chosen = Pick<DeadLetter, "id" | "route" | "actor" | "reason">;

export interface LetterSender {
  /** Those that cannot be replayed under the Topology that is deployed. */
  refused(letters: readonly Chosen[]): readonly RefusedLetter[];
  /**
   * Sends letters, each actor's in their order. A letter stays, marked, until its delivery has
   * succeeded: the deliver function removes it. An event that was never routed goes back to the
   * bus, and its letter goes.
   */
  sendAll(letters: readonly Chosen[], onProgress: (sent: number) => void): Promise<void>;
}

/** Throws `INVALID_RATE`. */
export function letterSender(
  stage: OpenStage,
  letters: DynamoDeadLetters,
  topology: Topology,
  rate: string | undefined,
): LetterSender {
  const routes = new Map(topology.routes.map((route) => [route.name, route]));
  const actors = new Set(topology.actors.map(({ id }) => id));
  const check = eventSchemas(topology.sources);
  const send = letterRoutes(stage, letters, topology);
  const pace = replayPace(rate, systemClock);
  const now = {
    route: (name: string) => routes.get(name),
    hasActor: (id: string) => actors.has(id),
  };

  async function sendOne(id: string): Promise<void> {
    const letter = await letters.get(id);
    if (letter === null) return;
    const route = routes.get(letter.route ?? "");
    await pace();
    const misfit = isUnfitLetter(letter) ? check(letter.event) : null;
    if (misfit !== null) await send.back(letter, misfit);
    else if (route === undefined) await send.toBus(letter);
    else if (letter.untransformed) await send.toRoute(letter, route);
    else await send.toActor(letter, route);
  }

  return {
    refused: (chosen) =>
      chosen.flatMap(({ id, route, actor, reason }) => {
        const unrouted = route === null && reason !== "invalid";
        const error = unrouted ? null : replayRefusal({ id, route, actor }, now);
        return error === null ? [] : [{ id, error }];
      }),
    async sendAll(chosen, onProgress) {
      let sent = 0;
      const lanes = Map.groupBy(chosen, ({ actor }) => actor);
      await awsCalls().map([...lanes.values()], async (lane) => {
        for (const { id } of lane) {
          await sendOne(id);
          sent += 1;
          onProgress(sent);
        }
      });
    },
  };
}

/** The ways back for a letter: its actor's queue, or the bus, for one route or for all. */
function letterRoutes(stage: OpenStage, letters: DynamoDeadLetters, topology: Topology) {
  const sources = new Map(topology.sources.map((source) => [source.id, source]));
  const routesOf = Map.groupBy(topology.routes, ({ then }) => then.actor);
  const sender = sqsSender({ sqs: stage.sqs });
  const numbers = dynamoReplayNumbers(stage.table);
  const nextReplay = async ({ id, replay = 0 }: OrgLoopEvent): Promise<number> =>
    Math.max(await numbers.next(id), replay + 1);

  return {
    /** Its event does not fit the schema of now either. */
    async back(letter: DeadLetter, error: string): Promise<void> {
      const failed = unfitLetter(letter.event, error, Date.now());
      await letters.put(letterOfReplay({ ...failed, id: letter.id }, letter));
    },
    async toActor(letter: DeadLetter, route: RouteSpec): Promise<void> {
      const delivery = letterDelivery(letter, route, { sources, promptOf });
      const message = await actorMessage(
        {
          delivery,
          route,
          topologyHash: stage.applied.hash,
          severalRoutes: (routesOf.get(delivery.actor)?.length ?? 0) > 1,
          nowMs: Date.now(),
        },
        stage.objects,
      );
      await sender.sendAll(stage.queueUrl(stage.names.actorQueue(delivery.actor)), [message]);
      await letters.markReplayed(letter.id);
    },
    async toBus({ id, event }: DeadLetter): Promise<void> {
      await sendEvents(stage, [publicationOfReplay(event, await nextReplay(event), {})]);
      await letters.remove([id]);
    },
    /**
     * Its transforms have not run: the router runs them, and what is delivered takes the letter
     * away.
     */
    async toRoute({ id, event }: DeadLetter, { name: route }: RouteSpec): Promise<void> {
      await sendEvents(stage, [publicationOfReplay(event, await nextReplay(event), { route })]);
      await letters.markReplayed(id);
    },
  };
}

/** As the actor gets it there: the project's folder is not in the function. */
function promptOf(route: RouteSpec): Prompt | undefined {
  return route.with?.prompt;
}
