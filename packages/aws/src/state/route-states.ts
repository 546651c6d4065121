import { setTimeout as sleep } from "node:timers/promises";
import { HEALTHY } from "@orgloop/engine";
import { OrgLoopError, type RouteState, type RouteStateStore } from "@orgloop/sdk";
import { inTurn } from "./in-turn.ts";
import {
  getItem,
  type Item,
  type ItemKey,
  listedKey,
  listItems,
  type StateTable,
  ttlSeconds,
} from "./state-table.ts";
import { updateItem } from "./write-item.ts";

export interface RouteStateUpdate {
  readonly before: RouteState;
  /** The same as `before` where nothing was written. */
  readonly after: RouteState;
}

export interface SharedRouteStates extends RouteStateStore {
  /**
   * Changes a route's state as if nobody else did: `change` is a pure function of it, called anew
   * where another function was faster. Null, or a state that says the same, leaves it as it is:
   * nothing is written. Throws `ROUTE_STATE_CONTENDED` where others always were faster.
   */
  update(
    route: string,
    change: (state: RouteState) => RouteState | null,
  ): Promise<RouteStateUpdate>;
}

export interface DynamoRouteStatesOptions extends StateTable {
  readonly now?: () => number;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/**
 * How often a change is tried: with full jitter up to `MAX_DELAY_MS`, hundreds of functions come
 * through.
 */
const MAX_TRIES = 40;
const FIRST_DELAY_MS = 5;
const MAX_DELAY_MS = 1_000;
/** Of a route that nobody delivers to any more; longer than an event waits. */
const STATE_RETENTION_MS = 15 * 86_400_000;

/** One item a route that is ill or rated, changed by optimistic conditional writes. */
export function dynamoRouteStates(options: DynamoRouteStatesOptions): SharedRouteStates {
  const { now = Date.now, random = Math.random } = options;
  const turns = inTurn();

  async function update(
    route: string,
    change: (state: RouteState) => RouteState | null,
  ): Promise<RouteStateUpdate> {
    const key = routeKey(route);
    let item = await getItem(options, key);
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const before = stateOf(item);
      const after = change(before);
      if (after === null || isSame(before, after)) return { before, after: before };
      const written = await updateItem(options, key, {
        ...changeOf(after, route, now()),
        condition: item === null ? "attribute_not_exists(#version)" : "#version = :was",
        values: item === null ? {} : { was: item.version },
      });
      if (written.done) return { before, after: stateOf(written.item) };
      const longest = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries - 1));
      await sleep(longest * random());
      item = await getItem(options, key);
    }
    throw new OrgLoopError(
      "ROUTE_STATE_CONTENDED",
      `the state of the route ${route} was changed by others ${MAX_TRIES} times in a row: the delivery is tried again later`,
    );
  }

  return {
    update: (route, change) => turns(route, () => update(route, change)),
    async load() {
      const states = new Map<string, RouteState>();
      for await (const page of listItems(options, "route")) {
        for (const item of page) {
          const state = stateOf(item);
          if (state.breaker.openUntilMs === null && state.rateMs === null) continue;
          states.set(String(item.route), state);
        }
      }
      return states;
    },
    async save(route, state) {
      await turns(route, () =>
        updateItem(options, routeKey(route), changeOf(state ?? HEALTHY, route, now())),
      );
    },
  };
}

function changeOf({ breaker, rateMs }: RouteState, route: string, nowMs: number) {
  return {
    set: {
      route,
      failures: breaker.failures,
      open_until_ms: breaker.openUntilMs,
      cooldown_ms: breaker.cooldownMs,
      probe_until_ms: breaker.probeUntilMs,
      openings: breaker.openings,
      asked_ms: breaker.askedMs ?? null,
      rate_ms: rateMs,
      ttl: ttlSeconds(nowMs + STATE_RETENTION_MS),
    },
    add: { version: 1 },
  };
}

const routeKey = (route: string): ItemKey => listedKey("route", route);

function stateOf(item: Item | null): RouteState {
  if (item === null) return HEALTHY;
  const { failures, open_until_ms, cooldown_ms, probe_until_ms, openings, asked_ms, rate_ms } =
    item;
  return {
    breaker: {
      failures: Number(failures),
      openUntilMs: numberOrNull(open_until_ms),
      cooldownMs: Number(cooldown_ms),
      probeUntilMs: numberOrNull(probe_until_ms),
      openings: Number(openings ?? 0),
      ...(typeof asked_ms === "number" && { askedMs: asked_ms }),
    },
    rateMs: numberOrNull(rate_ms),
  };
}

const numberOrNull = (value: unknown): number | null => (typeof value === "number" ? value : null);

function isSame(a: RouteState, b: RouteState): boolean {
  return (
    a.rateMs === b.rateMs &&
    a.breaker.failures === b.breaker.failures &&
    a.breaker.openUntilMs === b.breaker.openUntilMs &&
    a.breaker.cooldownMs === b.breaker.cooldownMs &&
    a.breaker.probeUntilMs === b.breaker.probeUntilMs &&
    a.breaker.openings === b.breaker.openings &&
    a.breaker.askedMs === b.breaker.askedMs
  );
}
