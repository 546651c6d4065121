import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import type { Check } from "./check.ts";

const MB = 1024 ** 2;
const LARGE_LOG_MB = 2_048;

/** How much the event log takes. */
export async function checkLog(dataDir: string): Promise<Check> {
  const directory = path.join(dataDir, "log");
  const names = await readdir(directory).catch(() => []);
  const sizes = await Promise.all(
    names.map(
      async (name) => (await stat(path.join(directory, name)).catch(() => null))?.size ?? 0,
    ),
  );
  const size = sizes.reduce((sum, bytes) => sum + bytes, 0) / MB;
  return {
    category: "storage",
    name: "event log",
    status: size > LARGE_LOG_MB ? "degraded" : "ok",
    message: `${size.toFixed(1)} MB in ${names.length} files`,
  };
}
export async function checkWal(_dataDir: string, _held: boolean): Promise<Check> {
  return { category: "storage", name: "write-ahead log", status: "ok", message: "todo" };
}
