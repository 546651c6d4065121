import { inboxActors } from "@orgloop/aws/plan";
import type { RouteSpec, Topology } from "@orgloop/sdk";
import type { DrainingActor } from "./draining.ts";

/** What a stage does for inboxes. */
export interface StageInboxes {
  /** The actors whose functions tell them of an inbox. */
  readonly actors: ReadonlySet<string>;
  /** Whether the inboxes are looked after. */
  readonly swept: boolean;
}

/** What the deploys before this one left. */
export interface InboxesBefore {
  /** Of the Topology that was applied last: what they have matched may be on its way still. */
  readonly routes: readonly RouteSpec[];
  /** Whether anything waits in the state table. */
  readonly waiting: boolean;
}

/** Inboxes are looked after where a route has one or had one, and as long as anything waits. */
export function stageInboxes(
  { routes }: Pick<Topology, "routes">,
  draining: readonly DrainingActor[],
  before: InboxesBefore,
): StageInboxes {
  const drained = draining.flatMap((actor) => actor.routes);
  const actors = new Set(inboxActors({ routes: [...routes, ...drained, ...before.routes] }));
  return { actors, swept: actors.size > 0 || before.waiting };
}
