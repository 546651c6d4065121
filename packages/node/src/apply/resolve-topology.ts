import type { Environment } from "@orgloop/config";
import { resolveReferences } from "@orgloop/engine";
import { OrgLoopError, type Topology } from "@orgloop/sdk";

/**
 * The Topology with every `${NAME}` replaced: for this process's memory only, since it holds
 * secrets. Prompts and schemas stay as their files have them. Throws `MISSING_VARIABLES`, naming
 * every variable that is not set and every item that uses it.
 */
export function resolveTopology(topology: Topology, env: Environment): Topology {
  const uses = new Map<string, string[]>();
  const resolve = <Value>(where: string, item: Value): Value => {
    const { value, missing } = resolveReferences(item, env);
    for (const name of missing) uses.set(name, [...(uses.get(name) ?? []), where]);
    return value;
  };
  const resolved: Topology = {
    ...topology,
    bus: resolve("bus", topology.bus),
    defaults: resolve("defaults", topology.defaults),
    sources: topology.sources.map(({ schemas, ...source }) => ({
      ...resolve(`source "${source.id}"`, source),
      ...(schemas !== undefined && { schemas }),
    })),
    actors: topology.actors.map((actor) => resolve(`actor "${actor.id}"`, actor)),
    routes: topology.routes.map(({ with: prompt, ...route }) => ({
      ...resolve(`route "${route.name}"`, route),
      ...(prompt !== undefined && { with: prompt }),
    })),
    transforms: topology.transforms.map((item) => resolve(`transform "${item.name}"`, item)),
    loggers: topology.loggers.map((logger) => resolve(`logger "${logger.name}"`, logger)),
  };
  if (uses.size > 0) throw missingVariables(uses);
  return resolved;
}

function missingVariables(uses: ReadonlyMap<string, readonly string[]>): OrgLoopError {
  const lines = [...uses].sort().map(([name, where]) => `  ${name}: ${where.join(", ")}`);
  const what = uses.size === 1 ? "a variable is" : `${uses.size} variables are`;
  return new OrgLoopError(
    "MISSING_VARIABLES",
    `${what} not set; set it in the environment or in the project's .env:\n${lines.join("\n")}`,
  );
}
