import { resolve } from "node:path";
import { compileMatcher, compilePolicy, type DeliveryPolicy, type Matcher } from "@orgloop/core";
import { messageOf, OrgLoopError, type Prompt, type RouteSpec, type Topology } from "@orgloop/sdk";

/** A topology's routes as the process uses them. */
export interface CompiledRoutes {
  readonly matcher: Matcher;
  readonly byName: ReadonlyMap<string, RouteSpec>;
  /** By actor, then by route. */
  readonly policies: ReadonlyMap<string, ReadonlyMap<string, DeliveryPolicy>>;
  readonly prompts: ReadonlyMap<string, Prompt>;
}

/** References resolved. Throws `INVALID_ROUTE`, naming the route, where one resolved to nonsense, and `INVALID_FILTER`. */
export function compileRoutes(topology: Topology, projectDir: string): CompiledRoutes {
  const policies = new Map(
    topology.actors.map(({ id }) => [id, new Map<string, DeliveryPolicy>()]),
  );
  const prompts = new Map<string, Prompt>();
  for (const { name, then, delivery, with: prompt } of topology.routes) {
    const ofActor = policies.get(then.actor);
    if (ofActor === undefined) {
      throw new OrgLoopError("INVALID_ROUTE", `route "${name}": there is no actor "${then.actor}"`);
    }
    try {
      ofActor.set(name, compilePolicy(delivery));
    } catch (cause) {
      const message = `route "${name}": delivery: ${messageOf(cause)}`;
      throw new OrgLoopError("INVALID_ROUTE", message, { cause });
    }
    if (prompt === undefined) continue;
    const { file, text, meta } = prompt.prompt;
    prompts.set(name, { file: resolve(projectDir, file), text, meta });
  }
  return {
    matcher: compileMatcher(topology.routes),
    byName: new Map(topology.routes.map((route) => [route.name, route])),
    policies,
    prompts,
  };
}
