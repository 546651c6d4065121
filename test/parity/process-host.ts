import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type RunningProcess,
  readStoredLetter,
  readStoredLetters,
  startProcess,
} from "@orgloop/node";
import {
  type DeadLetter,
  defineConnector,
  defineTransform,
  type EventDraft,
  type LogEntry,
  type PluginDefinition,
  type WebhookRequest,
} from "@orgloop/sdk";
import { anyConfig, fakeClock } from "@orgloop/testkit";
import {
  drainCall,
  LONGEST_MS,
  lettersOf,
  type Outcome,
  outcomeOf,
  type Run,
  repeatCalls,
  type Scenario,
  type Step,
  scriptedActor,
  topologyOf,
} from "./scenario.ts";

const TOKEN = "parity";
/**
 * Real time without a sign of life after which the process waits for its clock: its disk is a real
 * one.
 */
const QUIET_MS = 12;

/** A request's events, as a scenario sends them. */
const draftsOf = ({ body }: WebhookRequest): readonly EventDraft[] =>
  JSON.parse(new TextDecoder().decode(body));

const config = anyConfig<Readonly<Record<string, unknown>>>();

/** Runs a scenario in the single process, on its file bus, in a time of its own. */
export async function runProcess(scenario: Scenario): Promise<Outcome> {
  const clock = fakeClock();
  const startMs = clock.now();
  const dir = await mkdtemp(join(tmpdir(), "orgloop-parity-"));
  const calls: Run["calls"][number][] = [];
  const entries: LogEntry[] = [];
  let topology = topologyOf(scenario, scenario.begins);
  let generation = 0;

  function begin(): Promise<RunningProcess> {
    generation += 1;
    const mine = generation;
    const agent = scriptedActor(
      scenario,
      () => clock.now() - startMs,
      (call) => {
        if (mine === generation) calls.push(call);
      },
    );
    const lookup = async (name: string): Promise<PluginDefinition> => {
      const transform = scenario.transforms?.[name.replace("test/transform/", "")];
      if (transform !== undefined) {
        const create = async (_: unknown, context: Parameters<typeof transform>[0]) =>
          transform(context);
        return defineTransform({ id: name, config, create });
      }
      return defineConnector({
        id: name,
        source: { config, create: async () => ({ receive: async (sent) => draftsOf(sent) }) },
        actor: { config, create: async () => agent },
      }) as PluginDefinition;
    };
    return startProcess({
      topology: { ...topology, defaults: { ...topology.defaults, log_level: "debug" } },
      projectDir: dir,
      dataDir: join(dir, "data"),
      env: {},
      token: TOKEN,
      drainMs: 0,
      lookup,
      onEntry: (entry) => entries.push(entry),
      ...clock,
    });
  }

  let process = await begin();

  let seen = -1;
  const signs = (): number => entries.length + calls.length;

  /** Until it gives no sign of life any more; where it gave none at all, it is not waited for. */
  async function quiet(): Promise<void> {
    await sleep(1);
    while (signs() !== seen) {
      seen = signs();
      await sleep(QUIET_MS);
    }
  }

  async function take(step: Step): Promise<void> {
    if ("restart" in step) {
      generation += 1;
      await drained();
      topology = topologyOf(scenario, step.routes);
      process = await begin();
    } else if ("send" in step) {
      const { host, port } = process.address;
      const request = { method: "POST", body: JSON.stringify(step.send) };
      const requests = Array.from({ length: step.times ?? 1 }, async () => {
        const answer = await fetch(`http://${host}:${port}/webhook/s`, request);
        if (!answer.ok) throw new Error(`the webhook was answered ${answer.status}`);
      });
      await Promise.all(requests);
    } else if ("replay" in step) {
      const { host, port } = process.address;
      const answer = await fetch(`http://${host}:${port}/control/replay`, {
        method: "POST",
        headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
        body: JSON.stringify({ events: [`evt_${step.replay}`] }),
      });
      if (!answer.ok) throw new Error(`the replay was answered ${answer.status}`);
    } else if ("drain" in step) {
      // What has expired meanwhile is being buried: it gives a sign of life only at the end.
      for (let look = 0; look < 4; look++) {
        seen = -1;
        await quiet();
      }
      const { host, port } = process.address;
      const query = new URLSearchParams({ session_key: step.drain });
      if (step.limit !== undefined) query.set("limit", String(step.limit));
      const answer = await fetch(`http://${host}:${port}/api/inbox/drain?${query}`);
      const drained = (await answer.json()) as Parameters<typeof drainCall>[1];
      calls.push(drainCall(step.drain, drained, clock.now() - startMs));
    } else await process.inject(step.emit.map((draft) => ({ ...draft, source: "s" })));
    seen = -1;
    await quiet();
  }

  /** Its end takes time too. */
  async function drained(): Promise<void> {
    let ended = false;
    const ending = process.drain().finally(() => {
      ended = true;
    });
    while (!ended) {
      await clock.advance(1_000);
      await Promise.race([ending, sleep(QUIET_MS)]);
    }
    await ending;
  }

  async function advance(untilMs: number): Promise<void> {
    await quiet();
    while (clock.now() < untilMs) {
      const isDone = process.status().unacked === 0;
      const isLast = untilMs === Number.POSITIVE_INFINITY;
      if (isLast && (isDone || clock.now() - startMs > LONGEST_MS)) return;
      const leftMs = untilMs - clock.now();
      await clock.advance(isDone ? leftMs : Math.min(1_000, leftMs));
      await quiet();
    }
  }

  try {
    for (const step of scenario.steps) {
      if (step.atMs > clock.now() - startMs) await advance(startMs + step.atMs);
      await take(step);
    }
    await advance(Number.POSITIVE_INFINITY);
    await drained();
    const letters = lettersOf(scenario, await wholeLetters(join(dir, "data")));
    return outcomeOf({ calls: [...calls, ...repeatCalls(entries)], letters }, scenario.by);
  } finally {
    await drained();
    await rm(dir, { recursive: true, force: true });
  }
}

async function wholeLetters(dataDir: string): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for (const { id } of await Array.fromAsync(readStoredLetters(dataDir, {}, () => {}))) {
    letters.push((await readStoredLetter(dataDir, id, () => {})) as DeadLetter);
  }
  return letters;
}
