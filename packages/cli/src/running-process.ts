import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { hasCode, OrgLoopError } from "@orgloop/sdk";
import { processCommand } from "./process-command.ts";
import { readToken } from "./token.ts";

/** What a running process says of itself, in `process.json` of its data directory. */
export interface ProcessRecord {
  readonly pid: number;
  readonly port: number;
  /** Absolute. */
  readonly projectDir: string;
  readonly workspace: string;
}

/** `responsive`: it answers on its port and takes our token. Otherwise it starts, hangs, or is about to end. */
export interface FoundProcess extends ProcessRecord {
  readonly responsive: boolean;
}

const ANSWER_MS = 3_000;

/** Files of v1alpha1 (section 11) for people's scripts: of the process that started last on this machine. */
const pidFile = (home: string) => path.join(home, "orgloop.pid");
const portFile = (home: string) => path.join(home, "runtime.port");
const recordFile = (dataDir: string) => path.join(dataDir, "process.json");

/** Says that this process runs on `dataDir`. Call it while holding the lock of the directory. */
export async function announce(
  home: string,
  dataDir: string,
  record: ProcessRecord,
): Promise<void> {
  await writeFile(recordFile(dataDir), `${JSON.stringify(record)}\n`, { mode: 0o600 });
  await writeFile(pidFile(home), `${record.pid}\n`);
  await writeFile(portFile(home), `${record.port}\n`);
}

/** Takes it back; leaves what another process has written since. */
export async function withdraw(
  home: string,
  dataDir: string,
  { pid }: ProcessRecord,
): Promise<void> {
  if ((await readRecord(dataDir))?.pid === pid) await rm(recordFile(dataDir), { force: true });
  if ((await readText(pidFile(home)))?.trim() !== String(pid)) return;
  await rm(pidFile(home), { force: true });
  await rm(portFile(home), { force: true });
}

/**
 * The process that runs on `dataDir`; null where none does. A record that a crash left behind is recognised: its process is
 * gone, or the id was given to another program.
 */
export async function findProcess(home: string, dataDir: string): Promise<FoundProcess | null> {
  const record = await readRecord(dataDir);
  if (record === null || !isAlive(record.pid)) return null;
  if (await answers(home, record)) return { ...record, responsive: true };
  const command = await processCommand(record.pid);
  return command !== null && /orgloop|packages\/cli\/src\/main\.ts/.test(command)
    ? { ...record, responsive: false }
    : null;
}

/** True while there is a process of that id. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, "EPERM");
  }
}

/** Asks the running process; throws `CONTROL_FAILED` with what it answered where that is no success. */
export async function callProcess<Answer>(
  home: string,
  { port }: Pick<ProcessRecord, "port">,
  pathname: string,
  body?: { readonly json: unknown } | { readonly lines: string },
): Promise<Answer> {
  const token = await readToken(home);
  const headers: Record<string, string> = { authorization: `Bearer ${token ?? ""}` };
  if (body !== undefined) {
    headers["content-type"] = "json" in body ? "application/json" : "application/x-ndjson";
  }
  const response = await fetch(`http://127.0.0.1:${port}${pathname}`, {
    method: body === undefined ? "GET" : "POST",
    headers,
    ...(body !== undefined && { body: "json" in body ? JSON.stringify(body.json) : body.lines }),
    signal: AbortSignal.timeout(body === undefined ? ANSWER_MS : 60_000),
  });
  const text = await response.text();
  if (!response.ok) {
    const message = errorOf(text) ?? `HTTP ${response.status}`;
    throw new OrgLoopError("CONTROL_FAILED", `the running process refused ${pathname}: ${message}`);
  }
  return JSON.parse(text) as Answer;
}

async function answers(home: string, record: ProcessRecord): Promise<boolean> {
  try {
    const { pid } = await callProcess<{ pid?: number }>(home, record, "/control/status");
    return pid === record.pid;
  } catch {
    return false;
  }
}

async function readRecord(dataDir: string): Promise<ProcessRecord | null> {
  try {
    const record = JSON.parse((await readText(recordFile(dataDir))) ?? "null");
    return Number.isInteger(record?.pid) && Number.isInteger(record.port) ? record : null;
  } catch {
    return null;
  }
}

async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}

function errorOf(text: string): string | null {
  try {
    const { error } = JSON.parse(text);
    return typeof error === "string" ? error : (error?.message ?? null);
  } catch {
    return null;
  }
}
