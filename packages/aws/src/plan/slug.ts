import { createHash } from "node:crypto";

/** SHA-256 in lower-case hex. */
export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Lower-case letters, digits and single hyphens, of at most `length` characters; may be empty. */
export function slug(text: string, length: number): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, length + 1)
    .replace(/^-/, "")
    .slice(0, length)
    .replace(/-$/, "");
}

/**
 * `PREFIX-SLUG-HASH-SUFFIX` of at most `limit` characters: readable, and its 8 hex digits of `id`'s
 * SHA-256 tell ids apart.
 */
export function sluggedName(prefix: string, id: string, suffix: string, limit: number): string {
  const hash = sha256(id).slice(0, 8);
  const room = limit - prefix.length - suffix.length - hash.length - 1;
  const readable = slug(id, room);
  return `${prefix}${readable === "" ? "" : `${readable}-`}${hash}${suffix}`;
}
