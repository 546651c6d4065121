import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import type { HttpBindings } from "@hono/node-server";
import { RefusedError, RetryAfterError } from "@orgloop/sdk";
import type { Context } from "hono";

/** Bytes of all bodies that may be in memory at a time. */
export interface BodyBudget {
  readonly limit: number;
  used: number;
  /** Bodies of which there may be more to come, the longest-awaited first. */
  readonly arriving: Set<Arrival>;
}

interface Arrival {
  bytes: number;
  readonly giveWay: () => void;
}

/** A whole body; `release` gives its bytes back to the budget, and may be called twice. */
export interface ReceivedBody {
  readonly bytes: Uint8Array;
  readonly release: () => void;
  /**
   * Takes as many bytes more of the budget, for what is made of the body. Throws {@link
   * RetryAfterError}.
   */
  readonly grow: (bytes: number) => void;
}

/** A request as Node's server has it. */
export type BodyStream = Readable & Pick<IncomingMessage, "headers">;

/** The Node request behind one of Hono's. */
export function incomingOf(c: Context): BodyStream {
  return (c.env as HttpBindings).incoming;
}

const RETRY_AFTER_MS = 5_000;

export function bodyBudget(limit: number): BodyBudget {
  return { limit, used: 0, arriving: new Set() };
}

/**
 * The body of a request, never more than `limit` bytes of it in memory. Where the bodies of a
 * budget are too many together, the one that has been arriving longest gives way, so that slow
 * senders do not keep out quick ones. Rejects with {@link RefusedError} 413, with {@link
 * RetryAfterError} where it gave way or nothing else could, and with what broke the connection.
 */
export async function readBody(
  incoming: BodyStream,
  limit: number,
  budget: BodyBudget = bodyBudget(Number.POSITIVE_INFINITY),
): Promise<ReceivedBody> {
  if (Number(incoming.headers["content-length"] ?? 0) > limit) throw tooLarge(limit);
  const { promise: gaveWay, reject: giveWay } = Promise.withResolvers<never>();
  const arrival: Arrival = { bytes: 0, giveWay: () => giveWay(tooMuch()) };
  const release = (): void => {
    budget.arriving.delete(arrival);
    budget.used -= arrival.bytes;
    arrival.bytes = 0;
  };
  budget.arriving.add(arrival);
  const reading = chunksOf(incoming, (bytes) => {
    if (arrival.bytes + bytes > limit) throw tooLarge(limit);
    take(bytes, arrival, budget);
  });
  try {
    const chunks = await Promise.race([gaveWay, reading.chunks]);
    budget.arriving.delete(arrival);
    const bytes = chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
    return { bytes, release, grow: (more) => take(more, arrival, budget) };
  } catch (error) {
    release();
    // What else comes is let go by whoever answers.
    reading.stop();
    throw error;
  }
}

/** By events: a web stream of it costs a webhook a twentieth. `onChunk` ends it by throwing. */
function chunksOf(
  incoming: BodyStream,
  onChunk: (bytes: number) => void,
): { readonly chunks: Promise<readonly Uint8Array[]>; readonly stop: () => void } {
  const { promise, resolve, reject } = Promise.withResolvers<readonly Uint8Array[]>();
  const chunks: Uint8Array[] = [];
  const onData = (chunk: Uint8Array): void => {
    try {
      onChunk(chunk.byteLength);
      chunks.push(chunk);
    } catch (error) {
      reject(error);
    }
  };
  incoming
    .on("data", onData)
    .once("end", () => resolve(chunks))
    .once("error", reject)
    .once("close", () => {
      if (incoming.readableEnded) return;
      reject(new RefusedError(400, "the connection broke within the body"));
    });
  return { chunks: promise, stop: () => void incoming.off("data", onData).pause() };
}

function take(bytes: number, arrival: Arrival, budget: BodyBudget): void {
  arrival.bytes += bytes;
  budget.used += bytes;
  for (const oldest of budget.arriving) {
    if (budget.used <= budget.limit) return;
    if (oldest === arrival) break;
    budget.arriving.delete(oldest);
    budget.used -= oldest.bytes;
    oldest.bytes = 0;
    oldest.giveWay();
  }
  if (budget.used > budget.limit) throw tooMuch();
}

function tooMuch(): RetryAfterError {
  return new RetryAfterError("too much is being received at once", RETRY_AFTER_MS);
}

function tooLarge(limit: number): RefusedError {
  return new RefusedError(413, `the body is larger than ${limit} bytes`);
}
