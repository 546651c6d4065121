import {
  decodeUtf8,
  hasCode,
  isDeeperThan,
  isMapping,
  MAX_DEPTH,
  parseJson,
  plainValue,
  RefusedError,
} from "@orgloop/sdk";

/**
 * The bytes as text, without loss. Throws {@link RefusedError} 400 where they are not UTF-8 (RFC
 * 8259, 8.1).
 */
export function decodeBody(body: Uint8Array): string {
  try {
    return decodeUtf8(body);
  } catch (cause) {
    throw new RefusedError(400, "the body is not UTF-8", { cause });
  }
}

/** The JSON object of a body. Throws {@link RefusedError} 400 for anything else. */
export function parsePayload(body: string, contentType: string | undefined) {
  let payload: unknown;
  try {
    payload = parseJson(body);
  } catch (cause) {
    if (hasCode(cause, "NUMBER_OUT_OF_RANGE")) {
      throw new RefusedError(400, `${cause.code}: ${cause.message}`, { cause, reason: cause.code });
    }
    const hint = contentType?.startsWith("application/x-www-form-urlencoded")
      ? ": set the sender's content type to application/json"
      : "";
    throw new RefusedError(400, `the body is not JSON${hint}`, { cause });
  }
  if (!isMapping(payload)) {
    const plain = plainValue(payload);
    const found = Array.isArray(plain) ? "an array" : `${plain === null ? "null" : typeof plain}`;
    throw new RefusedError(400, `the body is ${found}: expected a JSON object`);
  }
  if (isDeeperThan(payload, MAX_DEPTH)) {
    throw new RefusedError(400, `the body is nested more than ${MAX_DEPTH} levels deep`);
  }
  return payload;
}
