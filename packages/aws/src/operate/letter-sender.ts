import {
  letterDelivery,
  replayOnBus,
  replayPace,
  replayRefusal,
  systemClock,
} from "@orgloop/engine";
import type { DeadLetter, Prompt, RouteSpec, Topology } from "@orgloop/sdk";
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
   * Sends letters, each actor's in their order. A letter stays, marked, until its delivery has succeeded: the deliver function removes it.
   * An event that was never routed goes back to the bus, and its letter goes.
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
  const sources = new Map(topology.sources.map((source) => [source.id, source]));
  const routesOf = Map.groupBy(topology.routes, ({ then }) => then.actor);
  const sender = sqsSender({ sqs: stage.sqs });
  const numbers = dynamoReplayNumbers(stage.table);
  const pace = replayPace(rate, systemClock);
  const now = {
    route: (name: string) => routes.get(name),
    hasActor: (id: string) => actors.has(id),
  };

  async function toActor(letter: DeadLetter, route: RouteSpec): Promise<void> {
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
  }

  async function toBus({ id, event }: DeadLetter): Promise<void> {
    const replay = Math.max(await numbers.next(event.id), (event.replay ?? 0) + 1);
    await sendEvents(stage, [replayOnBus(event, replay, {})]);
    await letters.remove([id]);
  }

  /** Its transforms have not run: the router runs them, and what is delivered takes the letter away. */
  async function toRoute({ id, event }: DeadLetter, route: RouteSpec): Promise<void> {
    const replay = Math.max(await numbers.next(event.id), (event.replay ?? 0) + 1);
    await sendEvents(stage, [replayOnBus(event, replay, { route: route.name })]);
    await letters.markReplayed(id);
  }

  async function send(id: string): Promise<void> {
    const letter = await letters.get(id);
    if (letter === null) return;
    const route = routes.get(letter.route ?? "");
    await pace();
    if (route === undefined) await toBus(letter);
    else if (letter.untransformed) await toRoute(letter, route);
    else await toActor(letter, route);
  }

  return {
    refused: (chosen) =>
      chosen.flatMap(({ id, route, actor, reason }) => {
        const unrouted = route === null && reason !== "invalid";
        const error = unrouted ? null : replayRefusal({ route, actor }, now);
        return error === null ? [] : [{ id, error }];
      }),
    async sendAll(chosen, onProgress) {
      let sent = 0;
      const lanes = Map.groupBy(chosen, ({ actor }) => actor);
      await awsCalls().map([...lanes.values()], async (lane) => {
        for (const { id } of lane) {
          await send(id);
          sent += 1;
          onProgress(sent);
        }
      });
    },
  };
}

/** As the actor gets it there: the project's folder is not in the function. */
function promptOf(route: RouteSpec): Prompt | undefined {
  return route.with?.prompt;
}
