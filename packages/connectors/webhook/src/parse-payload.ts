import { RefusedError } from "@orgloop/sdk";

/** Deeper bodies are refused: writing them back as JSON would overflow the stack. */
const MAX_DEPTH = 200;

// A byte order mark is kept, so that the text has exactly the bytes that were signed.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes as text, without loss. Throws {@link RefusedError} 400 where they are not UTF-8 (RFC 8259, 8.1). */
export function decodeBody(body: Uint8Array): string {
  try {
    return utf8.decode(body);
  } catch (cause) {
    throw new RefusedError(400, "the body is not UTF-8", { cause });
  }
}

/** The JSON object of a body. Throws {@link RefusedError} 400 for anything else. */
export function parsePayload(body: string, contentType: string | undefined) {
  let payload: unknown;
  try {
    payload = JSON.parse(body);
  } catch (cause) {
    const hint = contentType?.startsWith("application/x-www-form-urlencoded")
      ? ": set the sender's content type to application/json"
      : "";
    throw new RefusedError(400, `the body is not JSON${hint}`, { cause });
  }
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
    const found = Array.isArray(payload)
      ? "an array"
      : `${payload === null ? "null" : typeof payload}`;
    throw new RefusedError(400, `the body is ${found}: expected a JSON object`);
  }
  if (deeperThan(payload, MAX_DEPTH)) {
    throw new RefusedError(400, `the body is nested more than ${MAX_DEPTH} levels deep`);
  }
  return payload as Record<string, unknown>;
}

function deeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((child) => deeperThan(child, levels - 1));
}
