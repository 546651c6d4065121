import * as http from "node:http";
import * as https from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { Duplex } from "node:stream";
import { urlToHttpOptions } from "node:url";
import { hasCode, OrgLoopError } from "@orgloop/sdk";

/** Connections of all webhook actors of a process, those that are idle included. */
export const MAX_SOCKETS = 2_000;

const open = new Set<Duplex>();
/** The one that has been idle for longest first. */
const idle = new Set<Duplex>();

/** How many connections there are, of all agents. */
export function socketCounts(): { readonly open: number; readonly idle: number } {
  return { open: open.size, idle: idle.size };
}

/** What Node documents to be overridden. */
interface Overridden {
  createConnection(this: http.Agent, ...given: unknown[]): Duplex | null | undefined;
  keepSocketAlive(this: http.Agent, socket: Duplex): unknown;
  reuseSocket(this: http.Agent, socket: Duplex, request: http.ClientRequest): void;
}

/**
 * An agent that keeps its connections for the next request. Where the process has {@link
 * MAX_SOCKETS}, an idle one, whose ever it is, makes room for a new one. How many requests are
 * under way is the host's to bound.
 */
function countedAgent(protocol: string): http.Agent {
  const agent = new (protocol === "https:" ? https : http).Agent({ keepAlive: true });
  const { createConnection, keepSocketAlive, reuseSocket } = agent as unknown as Overridden;
  const overridden: Overridden = {
    createConnection(...given) {
      if (open.size >= MAX_SOCKETS) firstOf(idle)?.destroy();
      const socket = createConnection.apply(this, given);
      if (socket) count(socket);
      return socket;
    },
    keepSocketAlive(socket) {
      idle.add(socket);
      return keepSocketAlive.call(this, socket);
    },
    reuseSocket(socket, request) {
      idle.delete(socket);
      reuseSocket.call(this, socket, request);
    },
  };
  return Object.assign(agent, overridden);
}

/** Closes the agent's idle connections: one of them turned out to be closed at the other end. */
function closeIdle({ freeSockets }: http.Agent): void {
  for (const sockets of Object.values(freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

function count(socket: Duplex): void {
  open.add(socket);
  socket.once("close", () => {
    open.delete(socket);
    idle.delete(socket);
  });
}

function firstOf(sockets: ReadonlySet<Duplex>): Duplex | undefined {
  for (const socket of sockets) {
    if (!socket.destroyed) return socket;
  }
  return undefined;
}

interface OutgoingRequest {
  readonly url: string;
  readonly method: string;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** What came back: never followed, its body read only where it explains a failure. */
export interface IncomingResponse {
  readonly status: number;
  /** Of a failure; a success's are not kept. */
  readonly headers: Headers;
  /** The first bytes of a failure's body, on one line; empty for 2xx. */
  readonly excerpt: string;
}

/** Bytes of a response that are read to explain a failure. */
const MAX_EXCERPT = 1024;
/**
 * Bytes of a success that are read away so that its connection can serve again; a longer one is
 * broken off.
 */
const MAX_DISCARDED = 64 * 1024;

/**
 * The one place where this actor reaches the network; connections are kept for the next request.
 */
export interface RequestSender {
  /**
   * Sends again at once what a kept connection has swallowed, once. Throws `UNREACHABLE` where no
   * response came, `PRIVATE_ADDRESS` where the guard keeps it from the host.
   */
  send(request: OutgoingRequest): Promise<IncomingResponse>;
  close(): void;
}

/** Where a request goes, as Node's client wants it. */
interface Target {
  readonly url: string;
  readonly options: http.RequestOptions;
  /** Rejects where the URL's host is an address that may not be reached. */
  readonly mayBeReached: Promise<void>;
}

/** `lookup`: the host's, which says what may be reached. */
export function requestSender(lookup: LookupFunction): RequestSender {
  const agents = { "http:": countedAgent("http:"), "https:": countedAgent("https:") };
  let latest: Target | undefined;

  /** Most actors have one URL for all events. */
  function targetOf(url: string): Target {
    if (latest?.url === url) return latest;
    const parsed = new URL(url);
    const agent = agents[parsed.protocol as keyof typeof agents];
    const mayBeReached = askForAddress(parsed, lookup);
    mayBeReached.catch(() => undefined);
    latest = { url, options: { ...urlToHttpOptions(parsed), agent, lookup }, mayBeReached };
    return latest;
  }

  return {
    async send(request) {
      const target = targetOf(request.url);
      try {
        await target.mayBeReached;
        const answer = await exchange(target.options, request);
        if (answer !== "stale") return answer;
        closeIdle(target.options.agent as http.Agent);
        const second = await exchange(target.options, request);
        if (second === "stale") throw new Error("the connection was closed without an answer");
        return second;
      } catch (cause) {
        if (hasCode(cause, "PRIVATE_ADDRESS")) throw cause;
        const { method, url } = request;
        throw new OrgLoopError("UNREACHABLE", `${method} ${hostOf(url)}: ${reasonOf(cause)}`, {
          cause,
        });
      }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** Node looks up names only. Rejects where the URL's host is an address that may not be reached. */
async function askForAddress({ hostname }: URL, lookup: LookupFunction): Promise<void> {
  const address = hostname.replace(/^\[|\]$/g, "");
  if (isIP(address) === 0) return;
  await new Promise<void>((resolve, reject) => {
    lookup(address, { all: true }, (error) => (error ? reject(error) : resolve()));
  });
}

/**
 * One request and its answer. `stale`: the other end has closed a connection that was kept from an
 * earlier request, before a byte of the answer: it may have been closed before the request came,
 * which says nothing of the actor.
 */
function exchange(
  target: http.RequestOptions,
  { method, headers, body, signal }: OutgoingRequest,
): Promise<IncomingResponse | "stale"> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingResponse | "stale">();
  const { request } = target.protocol === "https:" ? https : http;
  let readBefore = 0;
  const options = { ...target, method, headers: { accept: "*/*", ...headers } };
  const outgoing = request(options, (response) => {
    const { statusCode: status = 0 } = response;
    if (isSuccess(status)) {
      discard(response);
      resolve({ status, headers: NO_HEADERS, excerpt: "" });
    } else void readFailure(response).then(resolve);
  });
  outgoing.once("socket", (socket) => {
    readBefore = socket.bytesRead;
  });
  outgoing.on("error", (error) => {
    const isUnanswered = outgoing.reusedSocket && outgoing.socket?.bytesRead === readBefore;
    if (isUnanswered && (hasCode(error, "ECONNRESET") || hasCode(error, "EPIPE"))) resolve("stale");
    else reject(error);
  });
  // Not by the request's own `signal`: Node watches that with several listeners a request.
  const abort = (): void => void outgoing.destroy(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  outgoing.once("close", () => signal.removeEventListener("abort", abort));
  outgoing.end(body);
  return promise;
}

export const isSuccess = (status: number): boolean => status >= 200 && status < 300;

const NO_HEADERS = new Headers();

async function readFailure(response: http.IncomingMessage): Promise<IncomingResponse> {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(response.headersDistinct)) {
    for (const value of values) headers.append(name, value);
  }
  const excerpt = await readExcerpt(response);
  return { status: response.statusCode ?? 0, headers, excerpt };
}

/** `host:port`. Paths stay out of messages: many services keep their secret in it. */
export function hostOf(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}

async function readExcerpt(response: http.IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size >= MAX_EXCERPT) break;
    }
  } catch {
    // The status is known and decides; a body that breaks off or hangs until the timeout only
    // explains less.
  }
  const text = Buffer.concat(chunks).subarray(0, MAX_EXCERPT).toString("utf8");
  return text.replace(/[\s\p{Cc}]+/gu, " ").trim();
}

function discard(response: http.IncomingMessage): void {
  let size = 0;
  response.on("data", (chunk: Buffer) => {
    size += chunk.byteLength;
    if (size > MAX_DISCARDED) response.destroy();
  });
  // What breaks off behind a success changes nothing.
  response.on("error", () => undefined);
}

/** For several addresses tried, the reason is in an AggregateError's `code`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ("code" in error ? String(error.code) : error.name);
}
