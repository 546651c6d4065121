import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { json } from "node:stream/consumers";
import type { DeadLetter, LogEntry, OrgLoopEvent } from "@orgloop/sdk";
import { onTestFinished, vi } from "vitest";
import { type RunningOrgLoop, startOrgLoop } from "../run-orgloop.ts";
import { serveTest } from "../serve-test.ts";

/** An actor with one route, `to-ID`, that brings it the events whose payload says so. */
export interface TestActor {
  readonly id: string;
  readonly url: string;
  readonly queue_depth?: number;
  readonly delivery?: Readonly<Record<string, unknown>>;
}

/** The payload of an event: for whom, its ordering key, its number. */
export interface Parcel {
  readonly to: string;
  readonly key: string;
  readonly n: number;
}

export interface DeliveryProject {
  /** Posts to the webhook source `hook`. */
  post(parcel: Parcel): Promise<{ status: number; retryAfter: string | null }>;
  /** Posts one after the other: numbers `from` to below `to`, all answered 200. */
  postAll(to: string, count: number, key?: (n: number) => string, from?: number): Promise<void>;
  /** Puts many events on the bus by one request of the control API. */
  inject(parcels: readonly Parcel[]): Promise<void>;
  log(phase?: string): Promise<LogEntry[]>;
  deadLetters(): Promise<DeadLetter[]>;
  /** SIGTERM, then a new process on the same data; its exit code was 0. */
  restart(): Promise<void>;
}

/** Runs `orgloop start` on a project of these actors until the test has finished. */
export async function runDelivery(actors: readonly TestActor[]): Promise<DeliveryProject> {
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-delivery-"));
  const project = path.join(root, "project");
  const home = path.join(root, "home");
  await mkdir(project);
  await writeFile(path.join(project, "orgloop.yaml"), JSON.stringify(manifest(actors), null, 2));
  const env = { ORGLOOP_HOME: home };
  let running: RunningOrgLoop = await startOrgLoop(project, env);
  onTestFinished(async () => {
    if (running.child.exitCode === null && running.child.signalCode === null) {
      await running.end("SIGKILL");
    }
    await rm(root, { recursive: true, force: true });
  });
  const lines = async <T>(...names: string[]) => {
    const text = await readFile(path.join(home, "data", ...names), "utf8").catch(() => "");
    // The last one may still be being written.
    return text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as T);
  };
  const project_: DeliveryProject = {
    async post(parcel) {
      const body = JSON.stringify(parcel);
      const response = await fetch(`${running.url}/webhook/hook`, { method: "POST", body });
      await response.arrayBuffer();
      return { status: response.status, retryAfter: response.headers.get("retry-after") };
    },
    async postAll(to, count, key = () => "k", from = 0) {
      for (let n = from; n < from + count; n += 1) {
        const { status } = await project_.post({ to, key: key(n), n });
        if (status !== 200) throw new Error(`event ${n} was answered ${status}`);
      }
    },
    async inject(parcels) {
      const token = (await readFile(path.join(home, "token"), "utf8")).trim();
      const response = await fetch(`${running.url}/control/inject`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify(parcels.map((payload) => ({ source: "hook", payload }))),
      });
      if (!response.ok) throw new Error(`inject: ${response.status} ${await response.text()}`);
      await response.arrayBuffer();
    },
    async log(phase) {
      const files = await readdir(path.join(home, "data/log")).catch(() => []);
      const entries = await Promise.all(files.sort().map((file) => lines<LogEntry>("log", file)));
      return entries.flat().filter((entry) => phase === undefined || entry.phase === phase);
    },
    async deadLetters() {
      const found = await lines<{ letter?: Omit<DeadLetter, "event">; event: OrgLoopEvent }>(
        "dead-letters/dead-letters.jsonl",
      );
      return found.flatMap(({ letter, event }) =>
        letter === undefined ? [] : { ...letter, event },
      );
    },
    async restart() {
      const code = await running.end("SIGTERM");
      if (code !== 0) throw new Error(`ended with ${code}:\n${running.lines.join("\n")}`);
      running = await startOrgLoop(project, env);
    },
  };
  return project_;
}

function manifest(actors: readonly TestActor[]) {
  return {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "delivery" },
    sources: [{ id: "hook", connector: "@orgloop/connector-webhook", config: {} }],
    actors: actors.map(({ id, url, queue_depth }) => ({
      id,
      connector: "@orgloop/connector-webhook",
      ...(queue_depth !== undefined && { queue_depth }),
      config: { url },
    })),
    routes: actors.map(({ id, delivery }) => ({
      name: `to-${id}`,
      when: { source: "hook", events: ["resource.changed"], filter: { "payload.to": id } },
      then: { actor: id, delivery: { key: "payload.key", ...delivery } },
    })),
  };
}

export interface Arrival extends Parcel {
  readonly atMs: number;
  readonly eventId: string;
  /** What it was answered; null: not yet. */
  status: number | null;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Receiver {
  readonly url: string;
  readonly port: number;
  /** In their order. */
  readonly arrivals: readonly Arrival[];
  /** Numbers that were answered 2xx, in the order of the answers. */
  readonly accepted: readonly number[];
}

/**
 * An HTTP server that remembers what arrives and answers what `answer` says; a promise it may wait
 * for.
 */
export async function receiver(
  answer: (arrival: Arrival, before: readonly Arrival[]) => Answer | Promise<Answer>,
): Promise<Receiver> {
  const arrivals: Arrival[] = [];
  const accepted: number[] = [];
  const server = createServer(async (request, response: ServerResponse) => {
    const { event } = (await json(request)) as { event: { id: string; payload: Parcel } };
    const arrival: Arrival = {
      ...event.payload,
      eventId: event.id,
      atMs: performance.now(),
      status: null,
    };
    const before = arrivals.slice();
    arrivals.push(arrival);
    const { status, headers = {}, body = "" } = await answer(arrival, before);
    arrival.status = status;
    if (status < 300) accepted.push(arrival.n);
    response.writeHead(status, headers).end(body);
  });
  const port = await serveTest(server);
  return { url: `http://127.0.0.1:${port}/`, port, arrivals, accepted };
}

/** Asks again until the assertion holds; throws what failed last when `timeoutMs` is over. */
export function eventually<T>(assertion: () => T | Promise<T>, timeoutMs = 20_000): Promise<T> {
  return vi.waitFor(assertion, { timeout: timeoutMs, interval: 20 });
}
