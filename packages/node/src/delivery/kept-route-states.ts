import { keptState } from "@orgloop/engine";
import { type LogEntry, messageOf, type RouteState, type RouteStateStore } from "@orgloop/sdk";
import { inFlight } from "../apply/in-flight.ts";
import { type Clock, wallTime } from "../process/clock.ts";

/**
 * Breakers and rates of the process before, and the way to keep them for the next: as times of the
 * machine's clock.
 */
export interface KeptRouteStates {
  /** By route. */
  readonly states: ReadonlyMap<string, RouteState>;
  /** Off the path of deliveries; what could not be kept is said, and forgotten by a restart. */
  save(route: string, state: RouteState): void;
  /** Resolves when all that was given is kept. */
  flushed(): Promise<void>;
}

export interface KeptRouteStatesOptions {
  readonly store: RouteStateStore;
  /** Of the topology; what is kept of others is forgotten. */
  readonly routes: ReadonlyMap<string, unknown>;
  readonly clock: Pick<Clock, "now" | "wall">;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
}

export async function keptRouteStates(options: KeptRouteStatesOptions): Promise<KeptRouteStates> {
  const { store, routes: known, clock, log } = options;
  const before = await store.load();
  const kept = new Set(before.keys());
  const saving = inFlight();

  function put(route: string, state: RouteState | null): void {
    if (state === null && !kept.delete(route)) return;
    if (state !== null) kept.add(route);
    saving.track(store.save(route, state)).catch((error) => {
      const message = `a restart will not know the state of this route: ${messageOf(error)}`;
      log({ phase: "system.error", route, error: message });
    });
  }

  for (const route of before.keys()) if (!known.has(route)) put(route, null);
  return {
    states: new Map([...before].filter(([route]) => known.has(route))),
    save(route, state) {
      const left = keptState(state, clock.now());
      put(route, left === null ? null : onWall(left, clock));
    },
    flushed: saving.ended,
  };
}

/** The same in times of the machine's clock. */
function onWall(
  { breaker, rateMs }: RouteState,
  clock: KeptRouteStatesOptions["clock"],
): RouteState {
  const { openUntilMs } = breaker;
  const wall = (ms: number | null) => (ms === null ? null : wallTime(clock, ms));
  return { breaker: { ...breaker, openUntilMs: wall(openUntilMs) }, rateMs: wall(rateMs) };
}
