import type { RouteState, RouteStateStore } from "@orgloop/sdk";

/** Route states that end with the process. */
export function memoryRouteStates(): RouteStateStore {
  const states = new Map<string, RouteState>();
  return {
    load: async () => new Map(states),
    async save(route, state) {
      if (state === null) states.delete(route);
      else states.set(route, state);
    },
  };
}
