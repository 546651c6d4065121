import type { RouteSpec } from "@orgloop/sdk";
import type { Command } from "../command.ts";
import { readValidProject } from "../project/read-project.ts";
import { routesText } from "../terminal/routes-text.ts";

/** `orgloop routes`: one edge for each source of each route (v1alpha1, section 9). */
export const routes: Command = async (context) => {
  const { topology, warnings } = await readValidProject(context);
  const edges = topology.routes.flatMap(edgesOf);
  context.output.result(
    {
      project: topology.project,
      sources: topology.sources.map(({ id, connector }) => ({ id, connector })),
      actors: topology.actors.map(({ id, connector }) => ({ id, connector })),
      transforms: topology.transforms.map(({ name, type }) => ({ name, type })),
      edges,
      warnings: warnings.map(({ message }) => message),
    },
    routesText(topology.routes, topology.sources),
  );
  return 0;
};

function edgesOf(route: RouteSpec) {
  return route.when.source.map((source) => ({
    route: route.name,
    source,
    actor: route.then.actor,
    events: route.when.events,
    filter: route.when.filter ?? null,
    transforms: route.transforms.map(({ ref }) => ref),
  }));
}
