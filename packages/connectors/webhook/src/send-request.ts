import { OrgLoopError } from "@orgloop/sdk";

export interface OutgoingRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** What came back: never followed, its body read only where it explains a failure. */
export interface IncomingResponse {
  readonly status: number;
  readonly headers: Headers;
  /** The first bytes of a failure's body, on one line; empty for 2xx. */
  readonly excerpt: string;
}

/** Bytes of a response that are read. */
const MAX_EXCERPT = 1024;

/** The one place where this actor reaches the network. Throws `UNREACHABLE` where no response came. */
export async function sendRequest(request: OutgoingRequest): Promise<IncomingResponse> {
  const { url, ...init } = request;
  let response: Response;
  try {
    response = await fetch(url, { ...init, redirect: "manual" });
  } catch (cause) {
    throw new OrgLoopError("UNREACHABLE", `${init.method} ${hostOf(url)}: ${reasonOf(cause)}`, {
      cause,
    });
  }
  const { status, headers } = response;
  if (response.ok) {
    await discard(response.body);
    return { status, headers, excerpt: "" };
  }
  return { status, headers, excerpt: await readExcerpt(response.body) };
}

/** `host:port`. Paths stay out of messages: many services keep their secret in it. */
export function hostOf(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}

async function readExcerpt(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body ?? []) {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size >= MAX_EXCERPT) break;
    }
  } catch {
    // The status is known and decides; a body that breaks off or hangs until the timeout only explains less.
  }
  const text = Buffer.concat(chunks).subarray(0, MAX_EXCERPT).toString("utf8");
  return text.replace(/[\s\p{Cc}]+/gu, " ").trim();
}

async function discard(body: ReadableStream<Uint8Array> | null): Promise<void> {
  await body?.cancel().catch(() => undefined);
}

/** Fetch says only "fetch failed"; the reason is its cause, for several addresses in an AggregateError's `code`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return cause.message || ("code" in cause ? String(cause.code) : error.message);
}
