import { HEALTHY, restoredState } from "@orgloop/engine";
import { DEFAULT_QUEUE_DEPTH } from "@orgloop/sdk";
import type { Generation } from "../apply/generation.ts";
import { ActorDeliverer } from "./actor-deliverer.ts";
import type { ActorDelivererOptions } from "./actor-deliverer-options.ts";
import type { KeptRouteStates } from "./kept-route-states.ts";

/** What all deliverers share. */
export type DelivererSurroundings = Pick<
  ActorDelivererOptions,
  "clock" | "writeDeadLetter" | "log" | "activity" | "alert" | "starts" | "abandon" | "mask"
> & { readonly kept: KeptRouteStates };

/** What a deliverer works with. */
type Work = Pick<ActorDelivererOptions, "actor" | "depth" | "policies">;

/**
 * One deliverer for each actor, for each that routes wait for, and for each that is gone and has
 * deliveries left.
 */
export class Deliverers {
  /** By actor. */
  readonly all: ReadonlyMap<string, ActorDeliverer>;
  readonly #shared: DelivererSurroundings;
  readonly #all = new Map<string, ActorDeliverer>();
  readonly #works = new Map<string, Work>();
  /** Actors that are gone, and when nothing new can come for them. */
  readonly #draining = new Map<string, Promise<unknown>>();

  constructor(first: Generation, shared: DelivererSurroundings) {
    this.all = this.#all;
    this.#shared = shared;
    const { kept, clock } = shared;
    for (const [id, work] of worksOf(first)) {
      this.#begin(id, work, restored(work, kept, clock.now()));
    }
  }

  /**
   * Goes on as `to` has it, at once. An actor that is gone gets what is queued for it, and what is
   * still being routed under `from` and before, until `left` resolves; then it is closed, as one is
   * that was made anew when its attempts have ended.
   */
  change(from: Generation, to: Generation, left: Promise<unknown>): void {
    const next = worksOf(to);
    for (const [id, deliverer] of this.#all) {
      if (!next.has(id) && !this.#draining.has(id)) void this.#drain(id, deliverer, left);
    }
    for (const [id, work] of next) {
      this.#draining.delete(id);
      const deliverer = this.#all.get(id);
      if (deliverer === undefined) this.#begin(id, work);
      else this.#goOn(id, deliverer, work);
    }
    for (const [id, policies] of from.routes.policies) {
      for (const route of policies.keys()) {
        if (next.get(id)?.policies.has(route)) continue;
        this.#shared.kept.save(route, HEALTHY);
      }
    }
  }

  #begin(id: string, work: Work, restored: Partial<ActorDelivererOptions> = {}): void {
    this.#works.set(id, work);
    this.#all.set(id, new ActorDeliverer({ ...this.#shared, ...restored, id, ...work }));
  }

  #goOn(id: string, deliverer: ActorDeliverer, work: Work): void {
    const before = this.#works.get(id)?.actor ?? null;
    this.#works.set(id, work);
    deliverer.change(work);
    if (before !== work.actor) void before?.release();
  }

  async #drain(id: string, deliverer: ActorDeliverer, left: Promise<unknown>): Promise<void> {
    const { log } = this.#shared;
    const { actor = null, depth = DEFAULT_QUEUE_DEPTH } = this.#works.get(id) ?? {};
    this.#draining.set(id, left);
    this.#goOn(id, deliverer, { actor, depth, policies: new Map() });
    const { queued: queue_depth, inFlight } = deliverer;
    const metadata = { in_flight: inFlight };
    log({ phase: "module.unloading", target: id, result: "draining", queue_depth, metadata });
    await left;
    await deliverer.idle();
    if (this.#draining.get(id) !== left) return;
    this.#draining.delete(id);
    this.#all.delete(id);
    this.#works.delete(id);
    await deliverer.close();
    await actor?.release();
    log({ phase: "module.removed", target: id });
  }
}

/**
 * What was kept of an actor's routes, as of now: no longer than their policies allow, however the
 * clock was set meanwhile.
 */
function restored(
  { policies }: Work,
  kept: KeptRouteStates,
  nowMs: number,
): Pick<ActorDelivererOptions, "states"> {
  const states = [...policies].flatMap(([route, policy]) => {
    const state = kept.states.get(route);
    return state === undefined ? [] : [[route, restoredState(state, policy, nowMs)] as const];
  });
  return { states: new Map(states) };
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
