import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/** The payload of an event: for whom, its ordering key, its number. */
export interface Parcel {
  readonly to: string;
  readonly key: string;
  readonly n: number;
  /** How long an inbox keeps it. */
  readonly ttl?: string;
}

/** What an actor was told of an inbox. */
export interface Notice {
  readonly session_key: string;
  readonly pending_count: number;
  readonly drain_command: string;
}

/** An attempt that reached its actor. */
export interface Arrival extends Parcel {
  readonly eventId: string;
  readonly replay: number;
  /** What it was answered. */
  readonly status: number;
}

export interface FeedPage {
  readonly events: readonly object[];
  readonly checkpoint: string;
}

/** The servers behind a test stage's actors and its source `feed`. */
export interface TestActors extends AsyncDisposable {
  readonly actorsUrl: string;
  readonly feedUrl: string;
  /** In their order. */
  readonly arrivals: readonly Arrival[];
  /** In their order. */
  readonly notices: readonly Notice[];
  /** What an actor answers from now on; by default 200. */
  answer(actor: string, status: (parcel: Parcel, before: readonly Arrival[]) => number): void;
  /** The pages that `feed` has, each once its checkpoint was not yet passed. */
  readonly feed: FeedPage[];
  /** With which checkpoints `feed` was polled. */
  readonly polls: readonly string[];
  /** Numbers that `actor` accepted, in order, of one key where it is given. */
  accepted(actor: string, key?: string): readonly number[];
}

export async function testActors(): Promise<TestActors> {
  const arrivals: Arrival[] = [];
  const notices: Notice[] = [];
  const answers = new Map<string, (parcel: Parcel, before: readonly Arrival[]) => number>();
  const feed: FeedPage[] = [];
  const polls: string[] = [];
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
    if (pathname === "/feed") {
      const after = searchParams.get("after") ?? "";
      polls.push(after);
      const from = feed.findIndex(({ checkpoint }) => checkpoint === after) + 1;
      response.end(JSON.stringify(feed.slice(from)));
      return;
    }
    const { event } = (await json(request)) as {
      event: { id: string; payload: Parcel & Partial<Notice>; replay?: number };
    };
    if (event.payload.drain_command !== undefined) {
      notices.push(event.payload as unknown as Notice);
      response.end();
      return;
    }
    const actor = pathname.slice("/to/".length);
    const before = arrivals.filter(({ to }) => to === actor);
    const status = answers.get(actor)?.(event.payload, before) ?? 200;
    arrivals.push({ ...event.payload, eventId: event.id, replay: event.replay ?? 0, status });
    response.writeHead(status).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    actorsUrl: `${url}/to/`,
    feedUrl: `${url}/feed`,
    arrivals,
    notices,
    feed,
    polls,
    answer: (actor, status) => void answers.set(actor, status),
    accepted: (actor, key) =>
      arrivals
        .filter(({ to, status }) => to === actor && status === 200)
        .filter((arrival) => key === undefined || arrival.key === key)
        .map(({ n }) => n),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
