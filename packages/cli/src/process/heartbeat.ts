import { rm } from "node:fs/promises";
import path from "node:path";
import { replaceFile } from "@orgloop/files";

const EVERY_MS = 30_000;

/**
 * A sign of life of the daemon for whoever watches it (v1alpha1, section 11: `heartbeat`), at once
 * and every 30 s. `end` takes it away.
 */
export function startHeartbeat(home: string, projects: () => number): { end(): Promise<void> } {
  const file = path.join(home, "heartbeat");
  const startedMs = Date.now();
  let beating: Promise<void> = Promise.resolve();
  const beat = (): void => {
    const sign = {
      pid: process.pid,
      timestamp: new Date().toISOString(),
      uptime_ms: Date.now() - startedMs,
      modules: projects(),
    };
    // A disk that is full must not end the daemon: the sign grows old, and that says it.
    beating = beating
      .then(() => replaceFile(file, `${JSON.stringify(sign)}\n`))
      .catch(() => undefined);
  };
  beat();
  const timer = setInterval(beat, EVERY_MS);
  timer.unref();
  return {
    async end() {
      clearInterval(timer);
      await beating;
      await rm(file, { force: true });
    },
  };
}
