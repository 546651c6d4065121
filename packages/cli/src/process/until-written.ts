import { setTimeout as wait } from "node:timers/promises";
import { hasCode, messageOf } from "@orgloop/sdk";

const AGAIN_MS = 2_000;

/**
 * Writes a file by which a running process is found. Where the disk is full, that must not end what
 * runs: it says so, resolves, and tries again until it is written or `isWanted` no more.
 */
export async function untilWritten(
  write: () => Promise<void>,
  isWanted: () => boolean,
  warn: (message: string) => void,
): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!isFull(error)) throw error;
    warn(
      `other commands may not find this process until there is room on the disk: ${messageOf(error)}`,
    );
    void again();
  }

  async function again(): Promise<void> {
    while (isWanted()) {
      await wait(AGAIN_MS, undefined, { ref: false });
      try {
        return await write();
      } catch {
        // It has been said.
      }
    }
  }
}

function isFull(error: unknown): boolean {
  return hasCode(error, "ENOSPC") || hasCode(error, "EDQUOT");
}
