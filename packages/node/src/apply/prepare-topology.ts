import { setImmediate } from "node:timers/promises";
import type { Environment } from "@orgloop/config";
import type { Matcher } from "@orgloop/engine";
import type { Topology } from "@orgloop/sdk";
import { type CompiledRoutes, compileRoutes } from "../routing/compile-routes.ts";
import { resolveTopology } from "./resolve-topology.ts";

/** A topology of which nothing is open yet. */
export interface PreparedTopology {
  /** As configured, references unresolved: what is shown and kept. */
  readonly topology: Topology;
  /** References resolved: it holds secrets. */
  readonly resolved: Topology;
  readonly routes: CompiledRoutes;
}

/**
 * Throws `MISSING_VARIABLES`, `INVALID_ROUTE` and `INVALID_FILTER`. Lets others run in between:
 * 10,000 routes take a while. `earlier`: the matcher of the configuration before.
 */
export async function prepareTopology(
  topology: Topology,
  env: Environment,
  projectDir: string,
  earlier?: Matcher,
): Promise<PreparedTopology> {
  const resolved = resolveTopology(topology, env);
  await setImmediate();
  return { topology, resolved, routes: compileRoutes(resolved, projectDir, earlier) };
}
