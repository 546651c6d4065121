import { RefusedError, RetryAfterError } from "@orgloop/sdk";

/** Bytes of all bodies that are in memory at a time: what slow senders together can hold. */
export interface BodyBudget {
  used: number;
  readonly limit: number;
}

const RETRY_AFTER_MS = 5_000;

/**
 * The body's bytes, never more than `limit` of them in memory; `budget.used` grows by what was read, also where this throws:
 * `taken` tells, for the giving back. Throws {@link RefusedError} 413, and {@link RetryAfterError} where the budget is used up.
 */
export async function readBody(
  request: Request,
  limit: number,
  taken: (bytes: number) => BodyBudget,
): Promise<Uint8Array> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge(limit);
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > limit) throw tooLarge(limit);
    const { used, limit: shared } = taken(chunk.byteLength);
    if (used > shared) {
      throw new RetryAfterError("too much is being received at once", RETRY_AFTER_MS);
    }
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, size);
}

function tooLarge(limit: number): RefusedError {
  return new RefusedError(413, `the body is larger than ${limit} bytes`);
}
