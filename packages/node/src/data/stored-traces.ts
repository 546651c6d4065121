import { existsSync } from "node:fs";
import { join } from "node:path";
import type { FoundTraces } from "@orgloop/engine";
import type { OrgLoopEvent, Topology } from "@orgloop/sdk";
import { findEventTraces } from "../telemetry/event-traces.ts";
import { readStoredLetter, readStoredLetters } from "./stored-letters.ts";

/**
 * What a data directory, on which no process runs, has kept of an event (`findEventTraces`). Throws
 * `LOCKED` where one does, and `WAL_CORRUPT`.
 */
export function readStoredTraces(
  wanted: string,
  dataDir: string,
  bus: Topology["bus"] | null,
  warn: (message: string) => void,
): Promise<FoundTraces> {
  return findEventTraces(wanted, {
    logDir: join(dataDir, "log"),
    recordDir: join(dataDir, "events"),
    letters: readStoredLetters(dataDir, {}, warn),
    letter: (id) => readStoredLetter(dataDir, id, warn),
    unsettled: storedUnsettled(dataDir, bus),
  });
}

async function* storedUnsettled(
  dataDir: string,
  bus: Topology["bus"] | null,
): AsyncGenerator<OrgLoopEvent> {
  const wal = join(dataDir, "wal");
  if ((bus !== null && bus.url !== "file") || !existsSync(wal)) return;
  const { readUnsettled } = await import("@orgloop/bus/file");
  for await (const { event } of readUnsettled(wal)) yield event;
}
