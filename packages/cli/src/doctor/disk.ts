import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { open, stat, statfs, unlink } from "node:fs/promises";
import path from "node:path";
import { messageOf } from "@orgloop/sdk";
import type { Check } from "./check.ts";

const MB = 1024 ** 2;
const SYNCS = 5;
const SLOW_SYNC_MS = 100;
const CLOCK_TOLERANCE_MS = 60_000;
/** Magic numbers of statfs(2) on Linux: what is written there is gone after a reboot. */
const IN_MEMORY: readonly number[] = [0x01021994, 0x858458f6];

/**
 * Whether the data directory, or what it will be made in, takes durable writes; how long one takes;
 * space; the clock.
 */
export async function checkDisk(dataDir: string): Promise<Check[]> {
  const directory = existingParent(dataDir);
  const file = path.join(directory, `.orgloop-doctor-${randomBytes(4).toString("hex")}`);
  const writable = { category: "storage", name: "data directory" };
  try {
    const { syncMs, clockOffMs } = await tryDisk(file);
    const { bavail, bsize, type } = await statfs(directory);
    const slow = syncMs > SLOW_SYNC_MS;
    const memory = IN_MEMORY.includes(type);
    return [
      memory
        ? { ...writable, status: "degraded", message: `${dataDir} is in memory: a reboot loses it` }
        : { ...writable, status: "ok", message: `${dataDir} is writable` },
      {
        category: "storage",
        name: "fsync",
        status: slow ? "degraded" : "ok",
        message: `${syncMs.toFixed(1)} ms (median of ${SYNCS})${slow ? ": every event waits for one" : ""}`,
      },
      spaceCheck(bavail * bsize),
      {
        category: "clock",
        name: "time",
        status: clockOffMs > CLOCK_TOLERANCE_MS ? "degraded" : "ok",
        message: `${new Date().toISOString()}, ${Math.round(clockOffMs)} ms from the file system's`,
      },
    ];
  } catch (error) {
    return [{ ...writable, status: "error", message: `${directory}: ${messageOf(error)}` }];
  } finally {
    await unlink(file).catch(() => {});
  }
}

async function tryDisk(file: string): Promise<{ syncMs: number; clockOffMs: number }> {
  const handle = await open(file, "wx", 0o600);
  try {
    const times: number[] = [];
    for (let round = 0; round < SYNCS; round++) {
      await handle.write(Buffer.alloc(4096, round));
      const beforeMs = performance.now();
      await handle.datasync();
      times.push(performance.now() - beforeMs);
    }
    const { mtimeMs } = await stat(file);
    const clockOffMs = Math.abs(Date.now() - mtimeMs);
    return { syncMs: times.sort((a, b) => a - b)[Math.floor(SYNCS / 2)] ?? 0, clockOffMs };
  } finally {
    await handle.close();
  }
}

function spaceCheck(bytes: number): Check {
  const status = bytes < 100 * MB ? "error" : bytes < 1024 * MB ? "degraded" : "ok";
  return {
    category: "storage",
    name: "free space",
    status,
    message: `${Math.floor(bytes / MB)} MB${status === "ok" ? "" : ": intake stops when it is gone"}`,
  };
}

function existingParent(directory: string): string {
  return existsSync(directory) ? directory : existingParent(path.dirname(directory));
}
