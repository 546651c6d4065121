import { RefusedError, RetryAfterError } from "@orgloop/sdk";

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
  /** Takes as many bytes more of the budget, for what is made of the body. Throws {@link RetryAfterError}. */
  readonly grow: (bytes: number) => void;
}

const RETRY_AFTER_MS = 5_000;

export function bodyBudget(limit: number): BodyBudget {
  return { limit, used: 0, arriving: new Set() };
}

/**
 * The body of a request, never more than `limit` bytes of it in memory. Where the bodies of a budget are too many together, the one that
 * has been arriving longest gives way, so that slow senders do not keep out quick ones. Throws {@link RefusedError} 413, and
 * {@link RetryAfterError} where it gave way or nothing else could.
 */
export async function readBody(
  request: Request,
  limit: number,
  budget: BodyBudget = bodyBudget(Number.POSITIVE_INFINITY),
): Promise<ReceivedBody> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge(limit);
  if (request.body === null) return { bytes: new Uint8Array(), release() {}, grow() {} };
  const reader = request.body.getReader();
  const { promise: gaveWay, reject } = Promise.withResolvers<never>();
  gaveWay.catch(() => undefined);
  const arrival: Arrival = { bytes: 0, giveWay: () => reject(tooMuch()) };
  const release = (): void => {
    budget.arriving.delete(arrival);
    budget.used -= arrival.bytes;
    arrival.bytes = 0;
  };
  budget.arriving.add(arrival);
  try {
    const chunks: Uint8Array[] = [];
    for (;;) {
      const { done, value } = await Promise.race([gaveWay, reader.read()]);
      if (done) break;
      if (arrival.bytes + value.byteLength > limit) throw tooLarge(limit);
      take(value.byteLength, arrival, budget);
      chunks.push(value);
    }
    budget.arriving.delete(arrival);
    const bytes = chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
    return { bytes, release, grow: (more) => take(more, arrival, budget) };
  } catch (error) {
    release();
    reader.cancel(error).catch(() => undefined);
    throw error;
  }
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
