import { isMapping, type OrgLoopEvent } from "@orgloop/sdk";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compileFilter } from "./compile-filter.ts";

/** A leaf, and which element of which array it was found in: `path of the array` → index. */
interface Found {
  readonly leaf: unknown;
  readonly within: ReadonlyMap<string, number>;
}

/** Every leaf at a path, by the letter: at an array its index, or any of its elements. */
function found(value: unknown, path: readonly string[], at = "", within = new Map()): Found[] {
  const [segment, ...rest] = path;
  if (Array.isArray(value)) {
    const named =
      segment !== undefined && /^\d$/.test(segment) ? value[Number(segment)] : undefined;
    const direct = named === undefined ? [] : found(named, rest, `${at}/${segment}`, within);
    const each = value.flatMap((element, index) =>
      found(element, path, `${at}/${index}`, new Map([...within, [at, index]])),
    );
    return [...direct, ...each];
  }
  if (isMapping(value)) {
    if (segment === undefined || !Object.hasOwn(value, segment)) return [];
    return found(value[segment], rest, `${at}/${segment}`, within);
  }
  return segment === undefined && value !== undefined ? [{ leaf: value, within }] : [];
}

function leafPasses(element: unknown, leaf: unknown): boolean {
  if (!isMapping(element)) return leaf === element;
  if ("exists" in element) return element.exists === true;
  if ("prefix" in element)
    return typeof leaf === "string" && leaf.startsWith(String(element.prefix));
  const but = element["anything-but"];
  if (isMapping(but)) return typeof leaf !== "string" || !leaf.startsWith(String(but.prefix));
  return leaf !== but;
}

type Pair = readonly [path: string, elements: readonly unknown[]];

/** Every choice of one leaf a condition, so that no array is entered at two of its elements. */
function jointly(
  event: unknown,
  pairs: readonly Pair[],
  within = new Map<string, number>(),
): boolean {
  const [pair, ...rest] = pairs;
  if (pair === undefined) return true;
  const leaves = found(event, pair[0].split("."));
  if (leaves.length === 0) {
    const mayBeAbsent = pair[1].some((one) => isMapping(one) && one.exists === false);
    return mayBeAbsent && jointly(event, rest, within);
  }
  return leaves.some(({ leaf, within: own }) => {
    if ([...own].some(([array, index]) => (within.get(array) ?? index) !== index)) return false;
    if (!pair[1].some((element) => leafPasses(element, leaf))) return false;
    return jointly(event, rest, new Map([...within, ...own]));
  });
}

function naive(
  event: unknown,
  filter: Record<string, unknown>,
  above: readonly Pair[] = [],
): boolean {
  const { $or, ...entries } = filter;
  const pairs = [...above, ...(Object.entries(entries) as unknown as Pair[])];
  if (!Array.isArray($or)) return jointly(event, pairs);
  return $or.some((branch) => naive(event, branch, pairs));
}

const key = fc.constantFrom("a", "b", "c", "0", "1");
const scalar = fc.constantFrom<unknown>("x", "xy", "y", "", 1, 2, true, null);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3 }),
  ),
}));
const element = fc.oneof(
  scalar,
  fc.constantFrom(
    { exists: true },
    { exists: false },
    { prefix: "x" },
    { "anything-but": "x" },
    { "anything-but": { prefix: "x" } },
  ),
);
const path = fc
  .array(key, { minLength: 1, maxLength: 3 })
  .map((keys) => `payload.${keys.join(".")}`);
const entries = fc.dictionary(path, fc.array(element, { minLength: 1, maxLength: 2 }), {
  maxKeys: 3,
});
const filter = fc.oneof(
  entries,
  fc
    .tuple(entries, entries, entries, entries)
    .map(([all, one, other, inner]) => ({ ...all, $or: [one, { ...other, $or: [inner, one] }] })),
);

const eventOf = (payload: unknown) => ({ payload }) as OrgLoopEvent;

test("a filter agrees with a search through every choice of leaves", () => {
  let matched = 0;
  const runs = 20_000;
  fc.assert(
    fc.property(fc.dictionary(key, value, { maxKeys: 3 }), filter, (payload, one) => {
      const expected = naive({ payload }, one);
      matched += expected ? 1 : 0;
      expect(compileFilter(one)(eventOf(payload))).toBe(expected);
    }),
    { numRuns: runs, seed: 20 },
  );
  expect(matched).toBeGreaterThan(runs / 20);
});

test("a scalar is equality at exactly its path, without looking into arrays", () => {
  fc.assert(
    fc.property(fc.dictionary(key, value), path, scalar, (payload, at, wanted) => {
      const exact = at
        .split(".")
        .reduce<unknown>(
          (node, segment) =>
            typeof node === "object" && node !== null && Object.hasOwn(node, segment)
              ? Reflect.get(node, segment)
              : undefined,
          { payload },
        );
      expect(compileFilter({ [at]: wanted })(eventOf(payload))).toBe(exact === wanted);
    }),
    { numRuns: 5_000 },
  );
});

test("conditions on many arrays at once cost no more than the event is long", () => {
  const names = Array.from({ length: 12 }, (_, at) => `list${at}`);
  const payload = Object.fromEntries(
    names.map((name) => [name, Array.from({ length: 2_000 }, (_, at) => ({ x: at, y: at }))]),
  );
  const wanted = names.flatMap((name): [string, unknown][] => [
    [`payload.${name}.x`, [{ numeric: [">=", 0] }]],
    [`payload.${name}.y`, [{ numeric: [">=", 0] }]],
  ]);
  const last = ["payload.list11.z", [{ exists: true }]];
  expect(compileFilter(Object.fromEntries([...wanted, last]))(eventOf(payload))).toBe(false);
});
