import {
  compileMatcher,
  knownSecrets,
  type OpenEntry,
  type Router,
  type TraceChain,
} from "@orgloop/engine";
import type { Actor, DeliverySpec, OrgLoopEvent, RouteSpec } from "@orgloop/sdk";
import { memoryClaims, memoryDeadLetters } from "@orgloop/stores";
import {
  type FakeClock,
  fakeClock,
  memoryObjects,
  SAMPLE_DEFAULTS,
  sampleRoute,
} from "@orgloop/testkit";
import { secrets } from "../functions/secrets.ts";
import { deliveryInbox } from "../inbox/delivery-inbox.ts";
import { repeatRules } from "../intake/admit-publication.ts";
import { actorMessage } from "../queue/actor-message.ts";
import { queueBound } from "../queue/queue-bound.ts";
import type { ReceivedMessage } from "../queue/received-message.ts";
import type { QueueMessage } from "../queue/sqs-sender.ts";
import type { RouteBatchOptions } from "../routing/route-batch.ts";
import { memoryState } from "../state/memory-state-fixture.ts";
import type { DeliverBatchOptions } from "./deliver-batch.ts";

export const QUEUE = "https://sqs.test/1/actor.fifo";
export const BUS = "https://sqs.test/1/bus.fifo";
export const HISTORY = "https://sqs.test/1/history";

/** It opens after two failures. */
const BREAKER = { failure_threshold: 2, cooldown: "1m", max_cooldown: "1h" };

export function routeOf(
  delivery: Partial<DeliverySpec> = {},
  config: Readonly<Record<string, unknown>> = {},
): RouteSpec {
  const route = sampleRoute("r", { circuit_breaker: BREAKER, ...delivery });
  return { ...route, then: { ...route.then, config } };
}

export function eventOf(id: string, fields: Partial<OrgLoopEvent> = {}): OrgLoopEvent {
  return {
    id: `evt_${id}`,
    timestamp: "2026-01-01T00:00:00.000Z",
    source: "s",
    type: "resource.changed",
    provenance: { platform: "test" },
    payload: { id },
    trace_id: `trc_${id}`,
    ...fields,
  };
}

/** What both kinds of batches work with, in memory. */
export function batchFixture(deliver: Actor["deliver"] = async () => undefined) {
  const clock: FakeClock = fakeClock();
  const objects = memoryObjects();
  const entries: OpenEntry[] = [];
  const metrics: (readonly [metric: string, value: number])[] = [];
  const hidden: { readonly queueUrl: string; readonly handles: string[]; seconds: number }[] = [];
  const removed: { readonly queueUrl: string; readonly handles: string[] }[] = [];
  const state = memoryState(clock);
  const parameters = new Map<string, string>();
  const known = knownSecrets();
  const shared = {
    known,
    clock,
    objects,
    flow: {
      log: (entry: OpenEntry) => void entries.push(entry),
      count: (metric: string, value = 1) => void metrics.push([metric, value]),
    },
    claims: memoryClaims(),
    deadLetters: memoryDeadLetters(),
    secrets: secrets({ prefix: "/p/", read: async () => parameters, now: clock.now, known }),
    hide: async (queueUrl: string, handles: readonly string[], seconds: number) =>
      void hidden.push({ queueUrl, handles: [...handles], seconds }),
    ...state,
  };
  const counted = { messages: 0, asked: 0 };
  const sent: (QueueMessage & { readonly queueUrl: string })[] = [];
  const recorded: string[] = [];
  const sender: RouteBatchOptions["sender"] = {
    async sendEach(queueUrl: string, messages: readonly QueueMessage[]) {
      if (queueUrl === HISTORY) {
        recorded.push(...messages.map(({ body }) => body));
        return messages.map(() => null);
      }
      sent.push(...messages.map((message) => ({ ...message, queueUrl })));
      return messages.map(() => null);
    },
  };
  const queueUrlOf = (actor: string) => `https://sqs.test/1/${actor}.fifo`;
  const inboxHost = { ...shared, stage: "test", sender, queueUrlOf };
  const delivering: DeliverBatchOptions = {
    ...shared,
    inbox: async () => deliveryInbox(inboxHost),
    openActor: async () => ({ deliver }),
    remove: async (queueUrl, handles) => void removed.push({ queueUrl, handles: [...handles] }),
    depthOf: () => 1000,
    bound: queueBound({
      now: clock.now,
      givenUp: state.givenUp,
      async count() {
        counted.asked += 1;
        return counted.messages;
      },
    }),
  };
  function routing(routes: readonly RouteSpec[]): RouteBatchOptions {
    const router: Router = {
      matcher: compileMatcher(routes),
      sources: new Map(),
      transformsOf: () => [],
      promptOf: () => undefined,
      now: clock.now,
      log: shared.flow.log,
    };
    return {
      ...shared,
      traces: state.traces<TraceChain>(),
      repeats: repeatRules({ topology: { sources: [], defaults: SAMPLE_DEFAULTS } }),
      routerFor: async () => router,
      routes: new Map(routes.map((route) => [route.name, route])),
      routesTo: new Map(),
      topologyHash: "hash",
      busUrl: BUS,
      historyUrl: HISTORY,
      queueUrlOf,
      sender,
    };
  }
  return {
    ...state,
    clock,
    objects,
    stored: objects.stored,
    entries,
    metrics,
    hidden,
    removed,
    parameters,
    counted,
    sent,
    /** Messages of the history's queue. */
    recorded,
    inboxHost,
    delivering,
    routing,
    deadLetters: shared.deadLetters,
    claims: shared.claims,
  };
}

let counter = 0;

/** A body as it is received from a queue. */
export function recordOf(
  body: string,
  group: string,
  sentMs: number,
  receives = 1,
): ReceivedMessage {
  counter += 1;
  return {
    messageId: `m${counter}`,
    receiptHandle: `h${counter}`,
    body,
    attributes: {
      ApproximateReceiveCount: String(receives),
      SentTimestamp: String(sentMs),
      MessageGroupId: group,
    },
  };
}

/** The same message, received once more. */
export function again(record: ReceivedMessage): ReceivedMessage {
  const receives = Number(record.attributes.ApproximateReceiveCount) + 1;
  const attributes = { ...record.attributes, ApproximateReceiveCount: String(receives) };
  return { ...record, attributes };
}

/** A delivery of `event` over `route`, as it stands in its actor's queue. */
export async function deliveryRecord(
  { objects, clock }: Pick<ReturnType<typeof batchFixture>, "objects" | "clock">,
  event: OrgLoopEvent,
  route: RouteSpec,
  key = "k",
): Promise<ReceivedMessage> {
  const { body } = await actorMessage(
    {
      delivery: {
        event,
        route: route.name,
        actor: route.then.actor,
        orderingKey: key,
        config: route.then.config,
        replay: event.replay ?? 0,
      },
      route,
      topologyHash: "hash",
      severalRoutes: false,
      nowMs: clock.now(),
    },
    objects,
  );
  return recordOf(body, key, clock.now());
}
