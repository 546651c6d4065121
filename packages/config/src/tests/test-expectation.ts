import { type DocumentPath, formatPath } from "@orgloop/engine";
import type { Filter } from "@orgloop/sdk";
import type { ItemKind } from "../resolve/declarations.ts";
import type { Findings } from "../resolve/findings.ts";
import type { Layer, Position } from "../resolve/source-document.ts";
import type { ExpectInput, OutcomeInput } from "../schema/test-schema.ts";
import type { TestNames } from "./test-names.ts";

/** Where something expected stands. */
export interface ExpectedPlace extends Position {
  readonly path: string;
}

/** What is to become of an event on one route. Names are full; absent is not looked at. */
export interface ExpectedOutcome {
  readonly kind: "delivered" | "dropped" | "halted";
  /** Whose decision or failure it is to be; null: anyone's. */
  readonly transform: string | null;
  readonly actor?: string;
  readonly event?: Filter;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly key?: string;
  readonly prompt_file?: string;
  /** A transform that is to fail and let the event through. */
  readonly passed_by?: string;
}

export interface Expectation {
  /** By full name; empty: no route matches. */
  readonly routes: ReadonlyMap<string, ExpectedOutcome>;
  /** Whether further routes may match. */
  readonly others: boolean;
  /** The place of a value of it: `at("routes", name, "actor")`, by full name. */
  readonly at: (...path: readonly string[]) => ExpectedPlace;
}

/** What a step expects, its names looked up; those that are not there are reported. */
export function expectation(
  written: ExpectInput,
  { document, path }: Layer,
  names: TestNames,
  findings: Findings,
): Expectation {
  const find = (kind: ItemKind, name: string, here: DocumentPath, end: "key" | "value") => {
    const found = names.find(kind, name);
    if (found !== undefined) return found;
    const message = names.missing(kind, name);
    findings.errors.push({ document, path: here, at: end, code: "unknown-reference", message });
    return name;
  };
  const routes = new Map<string, ExpectedOutcome>();
  const steps = new Map<string, DocumentPath>();
  const given = typeof written === "string" ? {} : written.routes;
  const list = Array.isArray(given);
  for (const [at, name, outcome] of list
    ? given.map((name, at) => [at, name, null] as const)
    : Object.entries(given).map(([name, outcome]) => [name, name, outcome] as const)) {
    const here = [...path, "routes", at];
    const route = find("route", name, here, list ? "value" : "key");
    if (routes.has(route)) {
      const message = `"${name}" is the route "${route}", which stands here already`;
      findings.errors.push({ document, path: here, at: "key", code: "duplicate-name", message });
    }
    routes.set(
      route,
      outcomeOf(outcome, (kind, key, one) => find(kind, one, [...here, key], "value")),
    );
    steps.set(route, here);
  }
  return {
    routes,
    others: typeof written === "object" && written.others === "any",
    at(...wanted) {
      const [, route, ...rest] = wanted;
      const base = route === undefined ? [...path, ...wanted] : (steps.get(route) ?? path);
      const whole = [...base, ...rest];
      const end = rest.length > 0 || list ? "value" : "key";
      return { ...document.locate(whole, end), path: formatPath(whole) };
    },
  };
}

type Find = (kind: ItemKind, key: string, name: string) => string;

function outcomeOf(written: OutcomeInput, find: Find): ExpectedOutcome {
  if (written === null || written === undefined || written === "delivered") {
    return { kind: "delivered", transform: null };
  }
  if (typeof written === "string") return { kind: "dropped", transform: null };
  const { actor, event, config, key, prompt_file, dropped_by, halted_by, passed_by } = written;
  const transform = (name: string, of: string) => find("transform", of, name);
  if (dropped_by) return { kind: "dropped", transform: transform(dropped_by, "dropped_by") };
  if (halted_by) return { kind: "halted", transform: transform(halted_by, "halted_by") };
  return {
    kind: "delivered",
    transform: null,
    ...(actor !== undefined && { actor: find("actor", "actor", actor) }),
    ...(event && { event }),
    ...(config && { config }),
    ...(key !== undefined && { key }),
    ...(prompt_file !== undefined && { prompt_file }),
    ...(passed_by && { passed_by: transform(passed_by, "passed_by") }),
  };
}
