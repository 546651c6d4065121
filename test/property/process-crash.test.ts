import type { InjectedDraft } from "@orgloop/engine";
import { type RunningProcess, startProcess } from "@orgloop/node";
import {
  defineConnector,
  PermanentError,
  type PluginDefinition,
  type RouteSpec,
  type Topology,
} from "@orgloop/sdk";
import {
  anyConfig,
  type CrashFileSystem,
  crashFileSystem,
  SAMPLE_DEFAULTS,
  sampleRoute,
  seeded,
} from "@orgloop/testkit";
import { expect, test } from "vitest";

const HISTORIES = Number(process.env.PROCESS_CRASHES ?? 40);
const FIRST_SEED = Number(process.env.PROCESS_SEED ?? 1);
const LIVES = 4;

/** Events of every third number are refused for good: they become dead letters. */
const isRefused = (n: number): boolean => n % 3 === 0;

const route: RouteSpec = {
  ...sampleRoute("r"),
  when: { source: ["s"], events: ["resource.changed"] },
};
const topology: Topology = {
  project: "acme",
  workspace: "default",
  bus: { url: "file" },
  defaults: { ...SAMPLE_DEFAULTS, log_level: "error" },
  sources: [{ id: "s", connector: "test/connector", config: {} }],
  actors: [{ id: "agent", connector: "test/connector", config: {}, queue_depth: 1000 }],
  routes: [{ ...route, then: { ...route.then, actor: "agent" } }],
  transforms: [],
  loggers: [],
};

const draft = (n: number): InjectedDraft => ({
  id: `evt_${n}`,
  source: "s",
  type: "resource.changed",
  provenance: { platform: "test" },
  payload: { n },
});

/** A process on a disk that crashes, again and again, and what it has acknowledged. */
class World {
  disk: CrashFileSystem = crashFileSystem();
  readonly #random: () => number;
  readonly #acknowledged = new Set<number>();
  readonly #delivered = new Set<number>();
  readonly #complaints: string[] = [];
  #life = 0;
  #next = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  async run(): Promise<void> {
    for (let life = 0; life < LIVES; life += 1) await this.#live(this.#random() < 0.7);
    const running = await this.#start();
    await expect.poll(() => running.status().unacked, { timeout: 20_000 }).toBe(0);
    const letters = running.status().dead_letters;
    await this.#expectAll(running);
    this.#end(true);
    const again = await this.#start();
    expect(again.status().dead_letters).toBe(letters);
    await this.#expectAll(again);
    await again.drain();
    // A crash is no damage.
    expect(this.#complaints.filter((text) => /damaged|gone|older/.test(text))).toEqual([]);
  }

  /** Takes events until the disk dies. */
  async #live(powerCut: boolean): Promise<void> {
    const running = await this.#start();
    this.disk.crashAt = this.disk.operations + 1 + Math.floor(this.#random() * 150);
    while (this.disk.operations < this.disk.crashAt) {
      const group = Array.from({ length: 1 + Math.floor(this.#random() * 4) }, () => this.#next++);
      const taken = running.inject(group.map(draft)).then(() => {
        for (const n of group) this.#acknowledged.add(n);
      });
      await Promise.race([taken, this.disk.crashed]);
    }
    this.#end(powerCut);
  }

  #end(powerCut: boolean): void {
    this.#life += 1;
    this.disk = powerCut ? this.disk.crash(this.#random) : this.disk.restart();
  }

  #start(): Promise<RunningProcess> {
    const life = this.#life;
    const { fileSystem, lock } = this.disk;
    return startProcess({
      topology,
      projectDir: "/project",
      dataDir: "/data",
      disk: { fileSystem, lock },
      env: {},
      token: "t",
      lookup: async (id) => this.#plugin(id, () => life === this.#life),
      onEntry: ({ error = "" }) => this.#complaints.push(error),
    });
  }

  #plugin(id: string, isAlive: () => boolean): PluginDefinition {
    const config = anyConfig<object>();
    const deliver = async ({
      payload,
    }: {
      payload: Record<string, unknown>;
    }): Promise<undefined> => {
      if (!isAlive()) return new Promise(() => {});
      if (isRefused(Number(payload.n))) throw new PermanentError("no");
      this.#delivered.add(Number(payload.n));
    };
    return defineConnector({
      id,
      source: { config, create: async () => ({ receive: async () => [] }) },
      actor: { config, create: async () => ({ deliver }) },
    }) as PluginDefinition;
  }

  /** What was acknowledged was delivered, or is a dead letter. */
  async #expectAll({ address }: RunningProcess): Promise<void> {
    const url = `http://127.0.0.1:${address.port}/control/dead-letters`;
    const response = await fetch(url, { headers: { authorization: "Bearer t" } });
    const letters = (await response.json()) as { event_id: string }[];
    const dead = new Set(letters.map(({ event_id }) => Number(event_id.slice("evt_".length))));
    const lost = [...this.#acknowledged].filter((n) => !this.#delivered.has(n) && !dead.has(n));
    expect(lost).toEqual([]);
    const refused = [...this.#acknowledged].filter(isRefused);
    for (const n of refused) expect(dead.has(n)).toBe(true);
  }
}

test(`a whole process on a disk that crashes: nothing acknowledged is lost (${HISTORIES} histories)`, async () => {
  let powerCuts = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed += 1) {
    const world = new World(seed);
    await world.run();
    powerCuts += world.disk.powerCuts;
  }
  console.log(`process-crash: ${HISTORIES} random histories, ${powerCuts} power cuts`);
});
