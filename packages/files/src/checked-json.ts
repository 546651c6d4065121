import { createHash } from "node:crypto";
import { OrgLoopError, parseJson } from "@orgloop/sdk";

/** Before the text of all other keys, over which it is. */
const checksumKey = (text: string): string =>
  `{"checksum":"${createHash("sha256").update(text).digest("hex")}",`;
const KEY_LENGTH = checksumKey("").length;

/** A JSON file with a checksum as its first key; `value` must not be empty. */
export function encodeCheckedJson(value: object): string {
  const text = JSON.stringify(value);
  return `${checksumKey(text)}${text.slice(1)}\n`;
}

/**
 * An object as {@link encodeCheckedJson} wrote it. Throws `CHECKSUM_MISSING`, `CHECKSUM_DIFFERS`,
 * and what is no JSON.
 */
export function parseCheckedJson(text: string): Readonly<Record<string, unknown>> {
  const { checksum, ...value } = Object(parseJson(text));
  if (checksum === undefined) {
    throw new OrgLoopError("CHECKSUM_MISSING", "it has no checksum: it was changed by hand");
  }
  if (!text.startsWith(checksumKey(`{${text.slice(KEY_LENGTH).trimEnd()}`))) {
    throw new OrgLoopError(
      "CHECKSUM_DIFFERS",
      "its checksum does not fit: it was damaged, or changed by hand",
    );
  }
  return value;
}
