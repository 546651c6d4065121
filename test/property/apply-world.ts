import {
  type Actor,
  defineConnector,
  defineTransform,
  type EventDraft,
  type OrgLoopEvent,
  type PluginDefinition,
  type PluginLookup,
  type Source,
  type Transform,
  type WebhookRequest,
} from "@orgloop/sdk";
import { anyConfig } from "@orgloop/testkit";

interface PartConfig {
  readonly version?: number;
  /** It cannot be made. */
  readonly broken?: boolean;
}

/** One delivery that succeeded, in the order of their ends. */
export interface Success {
  readonly id: string;
  readonly source: string;
  /** Which reading of the source it is from: one more each time that it starts anew. */
  readonly life: number;
  /** Counts up in a source's life. */
  readonly n: number;
  readonly keys: { readonly one: number; readonly two: number };
  readonly route: string;
  readonly actor: string;
  /** `then.config.version` of the route. */
  readonly version: unknown;
  /** The transforms that it went through, `t0@3`. */
  readonly marks: readonly string[];
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Platforms and actors outside of the process, and what they have seen. */
export function applyWorld(random: () => number) {
  const successes: Success[] = [];
  /** Ids of events that the host said it has. */
  const taken = new Map<string, { readonly since: number }>();
  const faults: string[] = [];
  const lives = new Map<string, number>();
  const created: string[] = [];
  let open = 0;
  let isFlowing = true;
  /**
   * The newest configuration that surely runs: what is taken later is not routed under an older
   * one.
   */
  let settledGeneration = 0;

  function draftOf(source: string, life: number, n: number): EventDraft {
    return {
      identity: `${source}/${life}/${n}`,
      provenance: { platform: "test" },
      payload: {
        identity: `${source}/${life}/${n}`,
        life,
        n,
        parity: n % 2,
        one: Math.floor(random() * 3),
        two: Math.floor(random() * 2),
        marks: [],
      },
    };
  }

  /** Counts what is open, and tells of whatever is used after it was closed, or closed in use. */
  function part<Part extends object>(what: string, build: (use: Use) => Part): Part {
    let closed = false;
    let uses = 0;
    open += 1;
    created.push(what);
    const use: Use = {
      async during(run) {
        if (closed) faults.push(`${what} was used after it was closed`);
        uses += 1;
        try {
          return await run();
        } finally {
          uses -= 1;
        }
      },
      check: (signal) => {
        if (closed && !signal.aborted) faults.push(`${what} was closed while it was polled`);
      },
    };
    return {
      ...build(use),
      async close() {
        if (closed) faults.push(`${what} was closed twice`);
        if (uses > 0) faults.push(`${what} was closed in use`);
        closed = true;
        open -= 1;
      },
    };
  }

  const polled = (id: string): Source =>
    part(`source ${id}`, (use) => ({
      async *poll(checkpoint, { signal }) {
        use.check(signal);
        let [life = 0, n = 0] = (checkpoint ?? "").split(":").map(Number);
        if (checkpoint === null) {
          life = (lives.get(id) ?? 0) + 1;
          n = 0;
        }
        for (let page = Math.floor(random() * 3); page > 0 && isFlowing; page -= 1) {
          await pause(random() * 3);
          use.check(signal);
          const events = [draftOf(id, life, n + 1), draftOf(id, life, n + 2)];
          const since = settledGeneration;
          lives.set(id, life);
          n += 2;
          yield { events, checkpoint: `${life}:${n}` };
          for (const { identity = "" } of events) taken.set(identity, { since });
        }
      },
    }));

  const hook = (id: string): Source =>
    part(`source ${id}`, (use) => ({
      receive: ({ body }: WebhookRequest) =>
        use.during(async () => {
          await pause(random() * 2);
          return [JSON.parse(new TextDecoder().decode(body)) as EventDraft];
        }),
    }));

  const actor = (id: string): Actor =>
    part(`actor ${id}`, (use) => ({
      deliver: (event, { route, config }) =>
        use.during(async () => {
          if (random() < 0.5) await pause(random() * 3);
          if (id !== "audit" && random() < 0.1) throw new Error("not now");
          const { payload, source } = event;
          const { life, n, one, two, marks, identity } = payload as unknown as Payload;
          const keys = { one, two };
          const { version } = config;
          successes.push({ id: identity, source, life, n, keys, route, actor: id, version, marks });
          return undefined;
        }),
    }));

  const transform = (id: string, version: number): Transform =>
    part(`transform ${id}`, (use) => ({
      execute: (event: OrgLoopEvent) =>
        use.during(async () => {
          if (random() < 0.3) await pause(random() * 2);
          const marks = [...(event.payload.marks as string[]), `${id}@${version}`];
          return { ...event, payload: { ...event.payload, marks } };
        }),
    }));

  const making = <Part>(make: (id: string, version: number) => Part) => ({
    config: anyConfig<PartConfig>(),
    async create({ version = 0, broken }: PartConfig, { id }: { readonly id: string }) {
      if (random() < 0.3) await pause(random() * 2);
      if (broken) throw new Error(`${id} is broken`);
      return make(id, version);
    },
  });
  const connector = defineConnector({
    id: "test",
    source: making((id) => (id.startsWith("h") ? hook(id) : polled(id))),
    actor: making(actor),
  }) as PluginDefinition;
  const definitions: Readonly<Record<string, PluginDefinition>> = {
    connector,
    transform: defineTransform({ id: "t", ...making(transform) }) as PluginDefinition,
  };
  const lookup: PluginLookup = async (name) => definitions[name] as PluginDefinition;

  return {
    lookup,
    draftOf,
    successes,
    taken,
    faults,
    lives,
    created,
    open: () => open,
    pause,
    settled(generation: number): void {
      settledGeneration = generation;
    },
    since: () => settledGeneration,
    isFlowing: () => isFlowing,
    stop(): void {
      isFlowing = false;
    },
  };
}

/** What events carry. */
interface Payload {
  readonly identity: string;
  readonly life: number;
  readonly n: number;
  readonly parity: number;
  readonly one: number;
  readonly two: number;
  readonly marks: readonly string[];
}

interface Use {
  during<Result>(run: () => Promise<Result>): Promise<Result>;
  check(signal: AbortSignal): void;
}
