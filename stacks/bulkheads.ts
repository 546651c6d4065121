import { type Bulkheads, bulkheads, ingressOf, ROUTER_CONCURRENCY } from "@orgloop/aws/plan";
import type { Stage, StageInput } from "./stage.ts";

/** What router and receiver have for themselves. */
function reserved({ topology, intake }: Pick<StageInput, "topology" | "intake">): number {
  const { kind, concurrency } = ingressOf(topology.aws);
  const receives = kind !== "none" && topology.sources.some((source) => intake(source).received);
  return ROUTER_CONCURRENCY + (receives ? concurrency : 0);
}

/** The shares of a stage's actors, those that drain or are waited for among them. */
export function stageBulkheads(
  stage: Pick<Stage, "topology" | "intake" | "draining">,
  actors: readonly string[],
): Bulkheads {
  const routes = [...stage.topology.routes, ...stage.draining.flatMap((one) => one.routes)];
  return bulkheads({ ...stage.topology, routes }, actors, reserved(stage));
}
