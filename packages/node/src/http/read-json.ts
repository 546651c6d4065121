import { decodeUtf8, hasCode, isMapping, OrgLoopError, parseJson } from "@orgloop/sdk";
import type { Context } from "hono";
import { incomingOf, readBody } from "./read-body.ts";

/** Far more than a filter with thousands of ids. */
const LIMIT_BYTES = 8 * 1024 ** 2;

/**
 * The JSON object of a request, of at most `limit` bytes (default 8 MB); `{}` for none. Throws
 * `INVALID_JSON`, and `REFUSED` where it is too large.
 */
export async function readJson(
  c: Context,
  limit = LIMIT_BYTES,
): Promise<Readonly<Record<string, unknown>>> {
  const { bytes } = await readBody(incomingOf(c), limit);
  let value: unknown;
  try {
    const text = decodeUtf8(bytes);
    if (text.trim() === "") return {};
    value = parseJson(text);
  } catch (cause) {
    if (hasCode(cause, "NUMBER_OUT_OF_RANGE")) throw cause;
    throw new OrgLoopError("INVALID_JSON", "the body is no JSON", { cause });
  }
  if (!isMapping(value)) {
    throw new OrgLoopError("INVALID_JSON", "the body: expected a JSON object");
  }
  return value;
}
