import type { RoutePlace, TestCase } from "@orgloop/config/tests";
import { counted } from "../terminal/counted.ts";
import type { TestResult } from "./run-tests.ts";

/** Which routes an event of some test has met (`docs/commands.md`, `test --coverage`). */
export interface Coverage {
  readonly routes: number;
  readonly reached: number;
  /** To one decimal; 100 where there are no routes. */
  readonly percent: number;
  readonly unreached: readonly { name: string; file: string; line: number; column: number }[];
}

/** Tests that ran, and the routes that they could have reached. */
export interface CoveredTests {
  readonly cases: readonly Pick<TestCase, "name" | "line" | "routes">[];
  /** In the order of the cases. */
  readonly results: readonly Pick<TestResult, "reached">[];
  /** How a file of `routes` is shown: what is shown alike is one. */
  readonly shown: (file: string) => string;
}

/**
 * A route is reached where it takes an event of a test, whether that is delivered or dropped then.
 * `others`: routes that no test need be about.
 */
export function coverageOf(
  tested: readonly CoveredTests[],
  others: readonly RoutePlace[],
): Coverage {
  const all = new Map<string, RoutePlace>();
  const reached = new Set<string>();
  const add = (route: RoutePlace): string => {
    const key = JSON.stringify([route.name, route.file, route.line]);
    if (!all.has(key)) all.set(key, route);
    return key;
  };
  for (const route of others) add(route);
  for (const { cases, results, shown } of tested) {
    for (const [at, { routes }] of cases.entries()) {
      for (const route of routes) {
        const key = add({ ...route, file: shown(route.file) });
        if (results[at]?.reached.has(route.name)) reached.add(key);
      }
    }
  }
  const unreached = [...all].filter(([key]) => !reached.has(key)).map(([, route]) => route);
  const share = all.size === 0 ? 1 : reached.size / all.size;
  return {
    routes: all.size,
    reached: reached.size,
    percent: Math.floor(share * 1_000) / 10,
    unreached: unreached.sort(inOrder),
  };
}

/** A line for each route that no test reaches, and the figure. */
export function coverageLines({ routes, reached, percent, unreached }: Coverage): string[] {
  return [
    ...unreached.map(
      ({ name, file, line, column }) =>
        `${file}:${line}:${column}: no test reaches the route "${name}"`,
    ),
    `${reached} of ${counted(routes, "route")} reached (${percent} %)`,
  ];
}

function inOrder(left: RoutePlace, right: RoutePlace): number {
  if (left.file !== right.file) return left.file < right.file ? -1 : 1;
  return left.line - right.line || left.column - right.column;
}
