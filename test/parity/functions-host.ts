import {
  type DeliverBatchOptions,
  deliverBatch,
  deliveryInbox,
  drainInbox,
  eventPublisher,
  expireInboxes,
  queueBound,
  type RouteBatchOptions,
  routeBatch,
  routeTopology,
  type Secrets,
  writeDeadLetter,
  writeHistory,
} from "@orgloop/aws/batches";
import { memoryState } from "@orgloop/aws/memory-state-fixture";
import { eventDedupId, messageGroup } from "@orgloop/aws/plan";
import {
  busMessage,
  type FifoMessage,
  type Publication,
  type QueueMessage,
} from "@orgloop/aws/queue";
import {
  busGrouping,
  busKey,
  completeEvent,
  knownSecrets,
  type OpenEntry,
  parseRecorded,
  publicationOfReplay,
  type TraceChain,
} from "@orgloop/engine";
import { eventSchemas } from "@orgloop/engine/event-schemas";
import type { OrgLoopEvent } from "@orgloop/sdk";
import { memoryClaims, memoryDeadLetters } from "@orgloop/stores";
import {
  type FifoRecord,
  fakeClock,
  memoryFifo,
  memoryObjects,
  storedLetters,
} from "@orgloop/testkit";
import {
  drainCall,
  LONGEST_MS,
  lettersOf,
  type Outcome,
  outcomeOf,
  plainId,
  type Run,
  repeatCalls,
  type Scenario,
  type Step,
  scriptedActor,
  topologyOf,
} from "./scenario.ts";

const BUS = "https://sqs.test/1/bus.fifo";
const HISTORY = "https://sqs.test/1/history";
const REMAINING_MS = 60_000;
const VISIBILITY_S = 180;

/**
 * Runs a scenario through the functions: their batches over queues that work as SQS FIFO does, in a
 * time of their own.
 */
export async function runFunctions(scenario: Scenario): Promise<Outcome> {
  const clock = fakeClock();
  const startMs = clock.now();
  const queues = memoryFifo({ now: clock.now, visibilitySeconds: VISIBILITY_S });
  const state = memoryState(clock);
  const claims = memoryClaims();
  const deadLetters = memoryDeadLetters();
  const objects = memoryObjects();
  const entries: OpenEntry[] = [];
  const flow = { log: (entry: OpenEntry) => void entries.push(entry), count: () => {} };
  const calls: Run["calls"][number][] = [];
  let topology = topologyOf(scenario, scenario.begins);
  const hide = async (url: string, handles: readonly string[], seconds: number) =>
    queues.hide(url, handles, seconds);
  const secrets: Secrets = {
    resolve: async (_, value) => value,
    resolveEach: async (items) => items.map(({ value }) => value),
  };
  const sender = {
    async sendEach(url: string, messages: readonly QueueMessage[]) {
      if (url === HISTORY) {
        const bodies = messages.map(({ body }) => body);
        await writeHistory(bodies, { objects, flow, now: clock.now });
      } else queues.send(url, messages as readonly FifoMessage[]);
      return messages.map(() => null);
    },
  };
  /** As deployed: the bus is grouped by key where the routes need no more. */
  const keyOf = (event: OrgLoopEvent): string | null => {
    const source = topology.sources.find(({ id }) => id === event.source);
    if (source === undefined) return null;
    return busGrouping(source, topology.routes).by === "key" ? busKey(event, source) : null;
  };
  const send = eventPublisher({
    keyOf: async () => keyOf,
    sender: {
      sendAll: async (url, messages) => queues.send(url, messages as readonly FifoMessage[]),
    },
    busUrl: BUS,
    objects,
    project: "acme",
    now: clock.now,
    flow,
    checkEvent: eventSchemas(topology.sources),
    writeDeadLetter: (letter) =>
      writeDeadLetter(letter, { deadLetters, flow, known: knownSecrets() }),
  });
  const queueUrlOf = (actor: string) => `https://sqs.test/1/${actor}.fifo`;
  const inbox = {
    known: knownSecrets(),
    clock,
    flow,
    deadLetters,
    objects,
    sender,
    queueUrlOf,
    ...state,
    stage: "parity",
  };
  let generation = 0;
  let running = 0;

  /** New instances of the functions: nothing of the ones before is left but what they stored. */
  async function begin(): Promise<(url: string) => boolean> {
    generation += 1;
    const mine = generation;
    const agent = scriptedActor(
      scenario,
      () => clock.now() - startMs,
      (call) => {
        if (mine === generation) calls.push(call);
      },
    );
    const shared = {
      known: knownSecrets(),
      clock,
      flow,
      claims,
      deadLetters,
      objects,
      secrets,
      hide,
      ...state,
    };
    const route: RouteBatchOptions = {
      ...shared,
      ...(await routeTopology({
        ...shared,
        topology,
        openTransform: async ({ name: id }) => {
          const make = scenario.transforms?.[id];
          if (make === undefined) throw new Error(`no transform ${id}`);
          return make({ id, claims, now: clock.now });
        },
      })),
      traces: state.traces<TraceChain>(),
      topologyHash: "hash",
      sender,
      busUrl: BUS,
      historyUrl: HISTORY,
      queueUrlOf,
    };
    const deliver: DeliverBatchOptions = {
      ...shared,
      inbox: async () => deliveryInbox(inbox),
      openActor: async () => agent,
      remove: async () => {},
      depthOf: () => scenario.queueDepth ?? 1000,
      bound: queueBound({
        count: async (url) => queues.count(url),
        givenUp: state.givenUp,
        now: clock.now,
      }),
    };
    return (url) => {
      const batch = queues.receive(url);
      if (batch.length === 0) return false;
      running += 1;
      const endMs = clock.now() + REMAINING_MS;
      const remaining = () => endMs - clock.now();
      const work =
        url === BUS
          ? routeBatch(batch, remaining, route)
          : deliverBatch(batch, url, remaining, deliver);
      void work.then(({ batchItemFailures }) => {
        // Killed: what it says is heard by nobody.
        if (mine !== generation) return;
        running -= 1;
        const again = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
        queues.remove(
          url,
          idsOf(batch).filter((id) => !again.has(id)),
        );
      });
      return true;
    };
  }

  async function publish(
    events: readonly OrgLoopEvent[],
    kind: Publication["kind"],
  ): Promise<void> {
    const keys = { messageGroup, eventDedupId, keyOf };
    const messages = await Promise.all(
      events.map((one) => busMessage(one, keys, objects, { id: crypto.randomUUID(), kind })),
    );
    queues.send(BUS, messages);
  }

  async function take(step: Step): Promise<void> {
    if ("restart" in step) {
      running = 0;
      topology = topologyOf(scenario, step.routes);
      invoke = await begin();
    } else if ("send" in step) {
      for (let time = 0; time < (step.times ?? 1); time += 1) await send("s", step.send, "receive");
    } else if ("replay" in step) {
      const lines = [...objects.stored].filter(([key]) => key.startsWith("events/"));
      const found = lines
        .flatMap(([, text]) => text.split("\n"))
        .map(parseRecorded)
        .find((line) => line !== null && plainId(line.event.id) === step.replay);
      if (found) await publish([publicationOfReplay(found.event, 1, {})], "replay");
    } else if ("drain" in step) {
      const drain = await drainInbox(step.drain, step.limit, inbox);
      calls.push(drainCall(step.drain, drain, clock.now() - startMs));
      await drain.done();
    } else {
      const options = { source: "s", module: "acme", nowMs: clock.now(), randomHex: nextHex() };
      await publish(
        step.emit.map((draft) => completeEvent(draft, options)),
        "inject",
      );
    }
  }

  /** Everything that can happen by then, in its time. */
  async function advance(untilMs: number): Promise<void> {
    for (;;) {
      const taken = queues.urls.map((url) => invoke(url));
      await clock.advance(0);
      if (taken.includes(true) || (running > 0 && clock.waiting() === 0)) continue;
      const before = clock.now();
      const isIdle = queues.urls.every((url) => queues.count(url) === 0) && running === 0;
      if (isIdle && untilMs === Number.POSITIVE_INFINITY) return;
      const nextMs = Math.min(queues.nextVisibleMs(), untilMs, before + nextTimer());
      if (nextMs > startMs + LONGEST_MS) return;
      await clock.advance(Math.max(1, nextMs - before));
      if (clock.now() >= untilMs) return;
    }
  }

  /**
   * Virtual time goes in small steps while a function works, in large ones while only messages
   * wait.
   */
  const nextTimer = (): number => (clock.waiting() > 0 ? 100 : Number.POSITIVE_INFINITY);

  let invoke = await begin();
  for (const step of scenario.steps) {
    if (step.atMs > clock.now() - startMs) await advance(startMs + step.atMs);
    await expireInboxes(inbox, () => REMAINING_MS);
    await take(step);
  }
  await advance(Number.POSITIVE_INFINITY);
  const letters = lettersOf(scenario, await storedLetters(deadLetters));
  return outcomeOf({ calls: [...calls, ...repeatCalls(entries)], letters }, scenario.by);
}

function idsOf(batch: readonly FifoRecord[]): string[] {
  return batch.map(({ messageId }) => messageId);
}

function nextHex(): () => string {
  return () => crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}
