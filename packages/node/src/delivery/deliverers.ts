import { CLOSED, type RateState, restoredGates, UNUSED_RATE } from "@orgloop/engine";
import { type BreakerState, DEFAULT_QUEUE_DEPTH } from "@orgloop/sdk";
import type { Generation } from "../apply/generation.ts";
import { ActorDeliverer } from "./actor-deliverer.ts";
import type { ActorDelivererOptions } from "./actor-deliverer-options.ts";
import type { KeptRouteStates } from "./kept-route-states.ts";

/** What all deliverers share. */
export type DelivererSurroundings = Pick<
  ActorDelivererOptions,
  "clock" | "bury" | "log" | "activity" | "alert" | "starts" | "abandon" | "mask"
> & { readonly kept: KeptRouteStates };

/**
 * One deliverer for each actor, for each that routes wait for, and for each that is gone and has
 * deliveries left.
 */
export interface Deliverers {
  /** By actor. */
  readonly all: ReadonlyMap<string, ActorDeliverer>;
  /**
   * Goes on as `to` has it, at once. An actor that is gone gets what is queued for it, and what is
   * still being routed under `from` and before, until `left` resolves; then it is closed, as one is
   * that was made anew when its attempts have ended.
   */
  change(from: Generation, to: Generation, left: Promise<unknown>): void;
}

/** What a deliverer works with. */
type Work = Pick<ActorDelivererOptions, "actor" | "depth" | "policies">;

export function startDeliverers(first: Generation, shared: DelivererSurroundings): Deliverers {
  const { kept, log, clock } = shared;
  const all = new Map<string, ActorDeliverer>();
  const works = new Map<string, Work>();
  /** Actors that are gone, and when nothing new can come for them. */
  const draining = new Map<string, Promise<unknown>>();

  function begin(id: string, work: Work, restored: Partial<ActorDelivererOptions> = {}): void {
    works.set(id, work);
    all.set(id, new ActorDeliverer({ ...shared, ...restored, id, ...work }));
  }

  function go(id: string, deliverer: ActorDeliverer, work: Work): void {
    const before = works.get(id)?.actor ?? null;
    works.set(id, work);
    deliverer.change(work);
    if (before !== work.actor) void before?.release();
  }

  async function drain(
    id: string,
    deliverer: ActorDeliverer,
    left: Promise<unknown>,
  ): Promise<void> {
    const { actor = null, depth = DEFAULT_QUEUE_DEPTH } = works.get(id) ?? {};
    draining.set(id, left);
    go(id, deliverer, { actor, depth, policies: new Map() });
    const { queued, inFlight } = deliverer;
    const metadata = { in_flight: inFlight };
    log({
      phase: "module.unloading",
      target: id,
      result: "draining",
      queue_depth: queued,
      metadata,
    });
    await left;
    await deliverer.idle();
    if (draining.get(id) !== left) return;
    draining.delete(id);
    all.delete(id);
    works.delete(id);
    await deliverer.close();
    await actor?.release();
    log({ phase: "module.removed", target: id });
  }

  for (const [id, work] of worksOf(first)) begin(id, work, restored(work, kept, clock.now()));
  return {
    all,
    change(from, to, left) {
      const next = worksOf(to);
      for (const [id, deliverer] of all) {
        if (!next.has(id) && !draining.has(id)) void drain(id, deliverer, left);
      }
      for (const [id, work] of next) {
        draining.delete(id);
        const deliverer = all.get(id);
        if (deliverer === undefined) begin(id, work);
        else go(id, deliverer, work);
      }
      for (const [id, policies] of from.routes.policies) {
        for (const route of policies.keys()) {
          if (!next.get(id)?.policies.has(route)) kept.save(route, CLOSED, UNUSED_RATE);
        }
      }
    },
  };
}

/**
 * What was kept of an actor's routes, as of now: no longer than their policies allow, however the
 * clock was set meanwhile.
 */
function restored(
  { policies }: Work,
  kept: KeptRouteStates,
  nowMs: number,
): Pick<ActorDelivererOptions, "breakers" | "rates"> {
  const breakers = new Map<string, BreakerState>();
  const rates = new Map<string, RateState>();
  for (const [route, policy] of policies) {
    const gates = restoredGates(
      { breaker: kept.breakers.get(route) ?? CLOSED, rateMs: kept.rates.get(route) ?? null },
      policy,
      nowMs,
    );
    breakers.set(route, gates.breaker);
    if (gates.rateMs !== null) rates.set(route, gates.rateMs);
  }
  return { breakers, rates };
}

function worksOf({ resolved, routes, plugins }: Generation): Map<string, Work> {
  const depths = new Map(resolved.actors.map((actor) => [actor.id, actor.queue_depth]));
  return new Map(
    [...routes.policies].map(([id, policies]) => [
      id,
      {
        actor: plugins.actors.get(id) ?? null,
        depth: depths.get(id) ?? DEFAULT_QUEUE_DEPTH,
        policies,
      },
    ]),
  );
}
