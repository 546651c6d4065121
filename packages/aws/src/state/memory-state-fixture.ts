import { HEALTHY } from "@orgloop/engine";
import type { RouteState } from "@orgloop/sdk";
import type { GivenUp, GivenUpLately } from "../queue/queue-bound.ts";
import {
  type AcceptedDeliveries,
  type AttemptRecord,
  type AttemptStore,
  hashOfGroup,
  hashOfRoute,
  type KeptGrouping,
  type Lease,
  type LeasedCheckpoints,
  type RefusingQueue,
  type RefusingQueues,
  type RepeatClaims,
  type SharedInboxes,
  type SharedRouteStates,
  type SourceGroupings,
  type TraceMemory,
} from "./index.ts";
import { memoryInboxes } from "./memory-inboxes-fixture.ts";

/**
 * What the functions share in the state table, in memory: what was kept outlives the function that
 * kept it.
 */
export interface MemoryState {
  readonly attempts: AttemptStore & { readonly records: ReadonlyMap<string, AttemptRecord> };
  readonly routeStates: Pick<SharedRouteStates, "update"> & {
    readonly states: ReadonlyMap<string, RouteState>;
    /** Changes that were written. */
    readonly writes: number;
  };
  readonly leases: LeasedCheckpoints;
  readonly inboxes: SharedInboxes;
  readonly repeatClaims: RepeatClaims;
  readonly givenUp: GivenUpLately;
  readonly accepted: AcceptedDeliveries;
  readonly refusing: RefusingQueues;
  readonly groupings: SourceGroupings;
  traces<Chain extends object>(): TraceMemory<Chain>;
}

export function memoryState({ now }: { readonly now: () => number }): MemoryState {
  return {
    attempts: memoryAttempts(),
    routeStates: memoryRoutes(),
    leases: memoryLeases(now),
    inboxes: memoryInboxes(now),
    repeatClaims: memoryRepeatClaims(),
    givenUp: memoryGivenUp(),
    accepted: memoryAccepted(),
    refusing: memoryRefusing(),
    groupings: memoryGroupings(),
    traces: memoryTraces,
  };
}

const UNKNOWN: AttemptRecord = { state: null, starts: 0, reserved: null, heldUntilMs: null };

function memoryAttempts(): MemoryState["attempts"] {
  const records = new Map<string, AttemptRecord>();
  return {
    records,
    load: async (id) => records.get(id) ?? null,
    save: async (id, record) => void records.set(id, record),
    async start(id) {
      const record = records.get(id) ?? UNKNOWN;
      records.set(id, { ...record, starts: record.starts + 1 });
      return record.starts + 1;
    },
    forget: async (id) => void records.delete(id),
  };
}

function memoryRoutes(): MemoryState["routeStates"] {
  const states = new Map<string, RouteState>();
  let writes = 0;
  return {
    states,
    get writes() {
      return writes;
    },
    async update(route, change) {
      const before = states.get(route) ?? HEALTHY;
      const after = change(before);
      const text = (state: RouteState) => JSON.stringify([state.breaker, state.rateMs]);
      if (after === null || text(after) === text(before)) return { before, after: before };
      states.set(route, after);
      writes += 1;
      return { before, after };
    },
  };
}

function memoryLeases(now: () => number): LeasedCheckpoints {
  const checkpoints = new Map<string, string>();
  const held = new Map<string, { readonly owner: string; untilMs: number; unended: number }>();
  return {
    async acquire(source, owner, ttlMs): Promise<Lease | null> {
      const before = held.get(source) ?? { untilMs: 0, unended: 0 };
      if (before.untilMs > now()) return null;
      const mine = { owner, untilMs: now() + ttlMs, unended: before.unended + 1 };
      held.set(source, mine);
      const isLost = () => held.get(source) !== mine || mine.untilMs <= now();
      return {
        unended: before.unended,
        get: () => checkpoints.get(source) ?? null,
        async set(checkpoint) {
          if (isLost()) {
            throw Object.assign(new Error(`the lease on ${source} is lost`), {
              code: "LEASE_LOST",
            });
          }
          checkpoints.set(source, checkpoint);
        },
        async release({ notBeforeMs = 0 } = { failed: false }) {
          if (isLost()) return;
          mine.untilMs = notBeforeMs;
          mine.unended = 0;
        },
      };
    },
  };
}

function memoryRepeatClaims(): RepeatClaims {
  const firsts = new Map<
    string,
    { publication: string; body: string | undefined; untilMs: number }
  >();
  return {
    async claim({ eventId, publication, body, windowMs, nowMs }) {
      const first = firsts.get(eventId);
      if (first === undefined || first.untilMs <= nowMs) {
        firsts.set(eventId, { publication, body, untilMs: nowMs + windowMs });
        return null;
      }
      return first.publication === publication ? null : { body: first.body };
    },
  };
}

function memoryGivenUp(): GivenUpLately {
  const lately = new Map<string, readonly GivenUp[]>();
  return {
    async update(queueUrl, change) {
      lately.set(queueUrl, change(lately.get(queueUrl) ?? []));
      return true;
    },
  };
}

function memoryAccepted(): AcceptedDeliveries {
  const routes = new Map<string, Set<string>>();
  return {
    load: async (event) => new Set(routes.get(JSON.stringify(event))),
    async add(event, names) {
      const key = JSON.stringify(event);
      routes.set(key, new Set([...(routes.get(key) ?? []), ...names.map(hashOfRoute)]));
    },
  };
}

function memoryRefusing(): RefusingQueues {
  const queues = new Map<string, RefusingQueue>();
  return {
    load: async () => new Map(queues),
    async park(actor, { refused, parked, groups }) {
      const before = queues.get(actor) ?? { refused: 0, parked: 0, groups: new Set<string>() };
      queues.set(actor, {
        refused: before.refused + refused,
        parked: before.parked + parked,
        groups: new Set([...before.groups, ...groups.map(hashOfGroup)]),
      });
    },
    async heal(actor, { parked }) {
      if (queues.get(actor)?.parked !== parked) return false;
      return queues.delete(actor);
    },
  };
}

function memoryGroupings(): SourceGroupings {
  const kept = new Map<string, KeptGrouping>();
  const of = (source: string): KeptGrouping =>
    kept.get(source) ?? { by: "source", to: null, sinceMs: 0 };
  return {
    load: async (sources) => new Map(sources.map((source) => [source, of(source)])),
    async begin(source, by) {
      if (!kept.has(source)) kept.set(source, { ...of(source), by });
    },
    async want(source, to, nowMs) {
      kept.set(source, { ...of(source), to, sinceMs: to === null ? 0 : nowMs });
    },
    async settle(source, by) {
      if (of(source).to === by) kept.set(source, { by, to: null, sinceMs: 0 });
    },
  };
}

function memoryTraces<Chain extends object>(): TraceMemory<Chain> {
  const chains = new Map<string, Chain>();
  return {
    update: async (id, change) => void chains.set(id, change(chains.get(id))),
  };
}
