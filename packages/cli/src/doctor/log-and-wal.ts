import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { walProblemLine } from "../process/wal-directory.ts";
import type { Check } from "./check.ts";

const MB = 1024 ** 2;
/** What becomes of what is damaged. */
export const GOES_ON =
  "a start keeps damaged lines beside their file, names what is lost and goes on with the rest";
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

/** Whether the file bus's log can be opened as it stands. */
export async function checkWal(dataDir: string): Promise<Check> {
  const check = { category: "storage", name: "write-ahead log" };
  const dir = path.join(dataDir, "wal");
  if (!existsSync(dir)) return { ...check, status: "ok", message: "there is none yet" };
  const { verifyWal } = await import("@orgloop/bus/file");
  const { problems, lines } = await verifyWal(dir);
  const [damage] = problems.filter(({ kind }) => kind !== "torn");
  return damage === undefined
    ? { ...check, status: "ok", message: `${lines} lines, all sound` }
    : {
        ...check,
        status: "error",
        message: `${walProblemLine(damage)}; see \`orgloop wal repair\``,
      };
}

/**
 * Whether what is kept beside the log is sound: dead letters, inboxes, claims, repeats, route
 * states, checkpoints, the applied state.
 */
export async function checkStores(dataDir: string): Promise<Check> {
  const check = { category: "storage", name: "stores" };
  const { verifyStores } = await import("@orgloop/node");
  const { problems, refused, kept, lines } = await verifyStores(dataDir);
  const [problem] = problems;
  if (problem !== undefined) {
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
    return {
      ...check,
      status: "error",
      message: `${problem}${more}${refused ? "" : `; ${GOES_ON}`}`,
    };
  }
  const [file] = kept;
  if (file === undefined) return { ...check, status: "ok", message: `${lines} lines, all sound` };
  const more = kept.length > 1 ? ` and ${kept.length - 1} more` : "";
  return {
    ...check,
    status: "degraded",
    message: `damaged lines were kept in ${file}${more}: the log says what was lost; delete the file when you have looked at it`,
  };
}
