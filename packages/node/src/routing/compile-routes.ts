import { resolve } from "node:path";
import { compileMatcher, compilePolicy, type DeliveryPolicy, type Matcher } from "@orgloop/engine";
import { messageOf, OrgLoopError, type Prompt, type RouteSpec, type Topology } from "@orgloop/sdk";

/** A topology's routes as the process uses them. */
export interface CompiledRoutes {
  readonly matcher: Matcher;
  readonly byName: ReadonlyMap<string, RouteSpec>;
  /** By actor, then by route; also of actors that do not exist yet, where routes wait for them. */
  readonly policies: ReadonlyMap<string, ReadonlyMap<string, DeliveryPolicy>>;
  readonly prompts: ReadonlyMap<string, Prompt>;
}

/**
 * References resolved. Throws `INVALID_ROUTE`, naming the route, where one resolved to nonsense,
 * and `INVALID_FILTER`. `earlier`: the matcher of the configuration before.
 */
export function compileRoutes(
  topology: Topology,
  projectDir: string,
  earlier?: Matcher,
): CompiledRoutes {
  const policies = new Map(
    topology.actors.map(({ id }) => [id, new Map<string, DeliveryPolicy>()]),
  );
  const prompts = new Map<string, Prompt>();
  const keys = new Map(topology.sources.map(({ id, key }) => [id, key]));
  for (const { name, when, then, delivery, with: prompt } of topology.routes) {
    let ofActor = policies.get(then.actor);
    if (ofActor === undefined) {
      if (then.queue_until_exists !== true) {
        const message = `route "${name}": there is no actor "${then.actor}"`;
        throw new OrgLoopError("INVALID_ROUTE", message);
      }
      ofActor = new Map();
      policies.set(then.actor, ofActor);
    }
    try {
      ofActor.set(name, compilePolicy(delivery, keysOf(when.source, keys)));
    } catch (cause) {
      const message = `route "${name}": delivery: ${messageOf(cause)}`;
      throw new OrgLoopError("INVALID_ROUTE", message, { cause });
    }
    if (prompt === undefined) continue;
    const { file, text, meta } = prompt.prompt;
    prompts.set(name, { file: resolve(projectDir, file), text, meta });
  }
  return {
    matcher: compileMatcher(topology.routes, { earlier }),
    byName: new Map(topology.routes.map((route) => [route.name, route])),
    policies,
    prompts,
  };
}

/** What the route's sources set as their key, if anything. */
function keysOf(
  sources: readonly string[],
  keys: ReadonlyMap<string, string | undefined>,
): Record<string, string> {
  const entries = sources.flatMap((id) => {
    const key = keys.get(id);
    return key === undefined ? [] : [[id, key] as const];
  });
  return Object.fromEntries(entries.toSorted());
}
