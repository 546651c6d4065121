import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { replaceFile } from "@orgloop/files";
import type { ProjectRequest } from "@orgloop/node";
import { callProcess, isAlive } from "./running-process.ts";

/** The background process that other projects are registered with. */
export interface RunningDaemon {
  readonly pid: number;
  readonly port: number;
}

const daemonFile = (home: string) => path.join(home, "daemon.json");

export async function announceDaemon(home: string, daemon: RunningDaemon): Promise<void> {
  await replaceFile(daemonFile(home), `${JSON.stringify(daemon)}\n`);
}

export async function withdrawDaemon(home: string): Promise<void> {
  if ((await readDaemon(home))?.pid === process.pid) await rm(daemonFile(home), { force: true });
}

/** The daemon that runs and answers; null where none does. */
export async function findDaemon(home: string): Promise<RunningDaemon | null> {
  const daemon = await readDaemon(home);
  if (daemon === null || daemon.pid === process.pid || !isAlive(daemon.pid)) return null;
  const answer = await modulesOf(home, daemon).catch(() => null);
  return answer?.pid === daemon.pid ? daemon : null;
}

/** The projects of a process. */
export function modulesOf(
  home: string,
  { port }: Pick<RunningDaemon, "port">,
): Promise<{ readonly pid: number; readonly modules: readonly { readonly name: string }[] }> {
  return callProcess(home, { port }, "/control/module/list");
}

/** Has the daemon run a project too (v1alpha1, sections 9 and 10). Throws `ControlError`. */
export function loadInto(home: string, { port }: RunningDaemon, request: ProjectRequest) {
  return callProcess<{ readonly name: string }>(home, { port }, "/control/module/load-project", {
    json: request,
  });
}

async function readDaemon(home: string): Promise<RunningDaemon | null> {
  try {
    const { pid, port } = JSON.parse(await readFile(daemonFile(home), "utf8"));
    return Number.isInteger(pid) && Number.isInteger(port) ? { pid, port } : null;
  } catch {
    return null;
  }
}
