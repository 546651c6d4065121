import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planTopology, topologyHash } from "@orgloop/config";
import { startProcess } from "@orgloop/node";
import type { LogEntry, Topology } from "@orgloop/sdk";
import { readAppliedState } from "@orgloop/stores";
import { seeded } from "@orgloop/testkit";
import { expect, onTestFinished, test } from "vitest";
import {
  AUDIT,
  brokenTopology,
  changeOne,
  complete,
  firstConfiguration,
  HOOKS,
  topologyOf,
} from "./apply-changes.ts";
import { applyWorld, type Success } from "./apply-world.ts";

const CHANGES = 200;

test.each([1, 2, 3])(
  `${CHANGES} changes while events flow (seed %i): none lost, none twice, each under one configuration, in order`,
  async (seed) => {
    const random = seeded(seed);
    const world = applyWorld(seeded(-seed));
    const changing = firstConfiguration(random);
    const generations: Topology[] = [topologyOf(changing, 0)];
    const dataDir = await mkdtemp(join(tmpdir(), "orgloop-apply-"));
    onTestFinished(() => rm(dataDir, { recursive: true }));
    /** Deliveries that nobody could take: their route went before its actor came. */
    const given = new Set<string>();
    const onEntry = ({ phase, result, route, event_id }: LogEntry): void => {
      if (phase === "deliver.dead_letter") given.add(`${result} ${route} ${event_id}`);
    };
    const process = await startProcess({
      topology: generations[0] as Topology,
      projectDir: dataDir,
      dataDir,
      env: {},
      token: "t",
      lookup: world.lookup,
      onEntry,
    });
    onTestFinished(() => process.drain());
    const flow = HOOKS.map((id) => postEvents(id, process.address.port, world));

    let state = await readAppliedState(dataDir);
    for (let generation = 1; generation <= CHANGES; generation += 1) {
      await world.pause(random() * 12);
      const before = generations.at(-1) as Topology;
      if (random() < 0.15) {
        await expect(process.apply(brokenTopology(random, before))).rejects.toThrow();
        await expect(process.apply(before, { serial: 0, hash: null })).rejects.toThrow("serial 0");
        expect(await readAppliedState(dataDir)).toEqual(state);
      }
      for (let count = 1 + random() * 3; count > 0; count -= 1) {
        changeOne(random, changing, generation);
      }
      if (generation === CHANGES) complete(random, changing, generation);
      const next = topologyOf(changing, generation);
      generations.push(next);
      const created = world.created.length;
      const { serial, hash } = await process.apply(next, state ?? undefined);
      world.settled(generation);
      expect(world.created.slice(created).toSorted()).toEqual(remade(before, next));
      expect([serial, hash]).toEqual([generation + 1, topologyHash(next)]);
      state = await readAppliedState(dataDir);
      expect(state).toMatchObject({ serial, hash });
      expect(planTopology(state?.topology ?? null, next).changes).toEqual([]);
    }

    world.stop();
    await Promise.all(flow);
    await expect.poll(() => process.status().unacked, { timeout: 60_000 }).toBe(0);
    const last = generations.at(-1) as Topology;
    const parts = last.sources.length + last.actors.length + last.transforms.length;
    await expect.poll(world.open).toBe(parts);
    await process.drain();

    expect(world.open()).toBe(0);
    expect(world.faults).toEqual([]);
    expect([...given].filter((one) => !one.startsWith("permanent "))).toEqual([]);
    expectEachRoutedWhole(world, generations, given.size);
    expectOrder(world.successes, generations);
    expect(world.taken.size).toBeGreaterThan(CHANGES);
    expectFewLives(world.lives, generations);
  },
);

/** Sends events one after the other, as long as there is a source that takes them. */
async function postEvents(id: string, port: number, world: World): Promise<void> {
  for (let n = 1; world.isFlowing(); n += 1) {
    const draft = world.draftOf(id, 1, n);
    const since = world.since();
    const { status } = await fetch(`http://127.0.0.1:${port}/webhook/${id}`, {
      method: "POST",
      body: JSON.stringify(draft),
    });
    if (status === 200) world.taken.set(draft.identity as string, { since });
    else expect(status).toBe(404);
    await world.pause(2);
  }
}

/** What had to be made for `to`: nothing that was there already. */
function remade(from: Topology, to: Topology): string[] {
  const versions = (topology: Topology): Map<string, unknown> =>
    new Map([
      ...topology.sources.map(({ id, config }) => [`source ${id}`, config.version] as const),
      ...topology.actors.map(({ id, config }) => [`actor ${id}`, config.version] as const),
      ...topology.transforms.map(
        ({ name, config }) => [`transform ${name}`, config.version] as const,
      ),
    ]);
  const before = versions(from);
  return [...versions(to)]
    .filter(([what, version]) => !before.has(what) || before.get(what) !== version)
    .map(([what]) => what)
    .toSorted();
}

type World = ReturnType<typeof applyWorld>;

/**
 * Every event that was taken went to exactly the routes of one configuration, once each, through
 * its transforms.
 */
function expectEachRoutedWhole(
  { successes, taken }: World,
  generations: readonly Topology[],
  given: number,
): void {
  const byEvent = Map.groupBy(successes, ({ id }) => id);
  const lost = [...taken.keys()].filter((id) => !byEvent.has(id));
  expect(lost).toEqual([]);
  let missing = 0;
  for (const [id, got] of byEvent) {
    const audits = got.filter(({ route }) => route === AUDIT);
    expect(audits, `${id} is routed once`).toHaveLength(1);
    const [audit] = audits as [Success];
    const generation = audit.version as number;
    expect(generation).toBeGreaterThanOrEqual(taken.get(id)?.since ?? 0);
    const wanted = wantedOf(audit, generations[generation] as Topology);
    const found = got
      .filter(({ route }) => route !== AUDIT)
      .map(({ route, version, marks }) => `${route}@${version} ${marks.join()}`);
    expect(new Set(found).size, `${id} comes once`).toBe(found.length);
    expect(wanted, `${id}, under ${generation}`).toEqual(expect.arrayContaining(found));
    missing += wanted.length - found.length;
  }
  expect(missing, "what no actor came for").toBe(given);
}

function wantedOf({ source, n }: Success, { routes, transforms }: Topology): string[] {
  const versions = new Map(transforms.map(({ name, config }) => [name, config.version]));
  return routes
    .filter(({ name, when }) => {
      const parity = when.filter?.["payload.parity"] ?? n % 2;
      return name !== AUDIT && when.source.includes(source) && parity === n % 2;
    })
    .map(({ name, then, transforms: uses }) => {
      const marks = uses.map(({ ref }) => `${ref}@${versions.get(ref)}`);
      return `${name}@${then.config.version} ${marks.join()}`;
    });
}

/**
 * On a route to an actor no delivery overtakes an earlier one of its source and key, nor one under
 * another way to make keys.
 */
function expectOrder(successes: readonly Success[], generations: readonly Topology[]): void {
  const generationOf = new Map(
    successes
      .filter(({ route }) => route === AUDIT)
      .map(({ id, version }) => [id, Number(version)]),
  );
  const lanes = Map.groupBy(
    successes.filter(({ route }) => route !== AUDIT),
    ({ route, actor, source }) => `${route} ${actor} ${source}`,
  );
  const overtaken: string[] = [];
  for (const lane of lanes.values()) {
    const seen: { success: Success; scheme: string; key: unknown }[] = [];
    for (const success of lane) {
      const topology = generations[generationOf.get(success.id) as number] as Topology;
      const { scheme, key } = orderOf(success, topology);
      for (const before of seen) {
        const alike = before.scheme === scheme && before.key !== key;
        if (alike || !isLater(before.success, success)) continue;
        overtaken.push(`${before.success.id} came before ${success.id} on ${success.route}`);
      }
      seen.push({ success, scheme, key });
    }
  }
  expect(overtaken).toEqual([]);
}

const isLater = (one: Success, other: Success): boolean =>
  one.life === other.life ? one.n > other.n : one.life > other.life;

function orderOf({ route, source, keys }: Success, { routes, sources }: Topology) {
  const spec = routes.find(({ name }) => name === route);
  const { order, key: path } = spec?.delivery ?? { order: "none" };
  const keyOf = (id: string) => sources.find((one) => one.id === id)?.key;
  const given = spec?.when.source.map((id) => [id, keyOf(id)]).filter(([, key]) => key) ?? [];
  const scheme = JSON.stringify([order, path, given]);
  const values: Readonly<Record<string, unknown>> = {
    "payload.one": keys.one,
    "payload.two": keys.two,
  };
  return { scheme, key: order === "route" ? "" : values[path ?? keyOf(source) ?? ""] };
}

/** A source starts anew only when it was removed in between. */
function expectFewLives(
  lives: ReadonlyMap<string, number>,
  generations: readonly Topology[],
): void {
  for (const [id, count] of lives) {
    let arrivals = 0;
    let was = false;
    for (const { sources } of generations) {
      const is = sources.some((source) => source.id === id);
      if (is && !was) arrivals += 1;
      was = is;
    }
    expect(count, id).toBeLessThanOrEqual(arrivals);
  }
}
