import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { hasCode, messageOf, RefusedError } from "@orgloop/sdk";

const gunzipped = promisify(gunzip);

/** The encoding of a request's body by its `content-encoding`; null for one that is not taken. */
export function contentEncoding(header: string | undefined): "identity" | "gzip" | null {
  const name = header?.trim().toLowerCase() ?? "";
  if (name === "" || name === "identity") return "identity";
  return name === "gzip" || name === "x-gzip" ? "gzip" : null;
}

/**
 * What was compressed, never more than `limit` bytes of it in memory. Throws {@link RefusedError}
 * 413 where it is more, and 400 where it is no gzip.
 */
export async function gunzipWithin(body: Uint8Array, limit: number): Promise<Uint8Array> {
  try {
    return await gunzipped(body, { maxOutputLength: limit });
  } catch (cause) {
    if (hasCode(cause, "ERR_BUFFER_TOO_LARGE")) {
      throw new RefusedError(413, `the body is larger than ${limit} bytes when it is unpacked`, {
        cause,
      });
    }
    throw new RefusedError(400, `the body is no gzip: ${messageOf(cause)}`, { cause });
  }
}
