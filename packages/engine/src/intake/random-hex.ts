import { randomUUID } from "node:crypto";

/**
 * 16 random hex digits; `randomUUID` draws its entropy in bulk, which is several times faster than
 * asking for 8 bytes.
 */
export function randomHex(): string {
  const uuid = randomUUID();
  return `${uuid.slice(0, 8)}${uuid.slice(9, 13)}${uuid.slice(24, 28)}`;
}
