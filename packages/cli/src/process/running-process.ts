import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { replaceFile } from "@orgloop/files";
import { hasCode, OrgLoopError, parseJson } from "@orgloop/sdk";
import { readToken } from "./token.ts";

/** What a running process says of itself, in `process.json` of its data directory. */
export interface ProcessRecord {
  readonly pid: number;
  readonly port: number;
  /** Absolute. */
  readonly projectDir: string;
  readonly workspace: string;
  /** The project's name: which of those that the process runs is meant. */
  readonly module?: string;
}

/**
 * `responsive`: it answers on its port and takes our token. Otherwise it starts, hangs, or is about
 * to end.
 */
export interface FoundProcess extends ProcessRecord {
  readonly responsive: boolean;
}

const STATUS = "/control/status";
const ANSWER_MS = 3_000;
const COMMAND_MS = 60_000;

/**
 * Files of v1alpha1 (section 11) for people's scripts: of the process that started last on this
 * machine.
 */
const pidFile = (home: string) => path.join(home, "orgloop.pid");
const portFile = (home: string) => path.join(home, "runtime.port");
const recordFile = (dataDir: string) => path.join(dataDir, "process.json");

/** Says that this process runs on `dataDir`. Call it while holding the lock of the directory. */
export async function announce(
  home: string,
  dataDir: string,
  record: ProcessRecord,
): Promise<void> {
  await replaceFile(recordFile(dataDir), `${JSON.stringify(record)}\n`);
  await replaceFile(pidFile(home), `${record.pid}\n`);
  await replaceFile(portFile(home), `${record.port}\n`);
}

/**
 * Takes it back; leaves what another process has written since. `last`: the process runs no other
 * project.
 */
export async function withdraw(
  home: string,
  dataDir: string,
  { pid }: ProcessRecord,
  last = true,
): Promise<void> {
  if ((await readRecord(dataDir))?.pid === pid) await rm(recordFile(dataDir), { force: true });
  if (!last) return;
  if ((await readText(pidFile(home)))?.trim() !== String(pid)) return;
  await rm(pidFile(home), { force: true });
  await rm(portFile(home), { force: true });
}

/**
 * The process that runs on `dataDir`; null where none does. A record that a crash left behind is
 * recognised: its process is gone, or the id was given to another program.
 */
export async function findProcess(home: string, dataDir: string): Promise<FoundProcess | null> {
  const record = await readRecord(dataDir);
  if (record === null || !isAlive(record.pid)) return null;
  if (await answers(home, record)) return { ...record, responsive: true };
  // It may start, hang or end; or its id now belongs to another program, and nobody holds its data.
  const { isDataDirLocked } = await import("@orgloop/node");
  return (await isDataDirLocked(dataDir)) ? { ...record, responsive: false } : null;
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

/** The running process answered, but not with success. */
export class ControlError extends OrgLoopError {
  /** Of HTTP. */
  readonly status: number;
  /** The `code` of the answer, e.g. `STATE_MISMATCH`; null where it has none. */
  readonly reason: string | null;
  /** The `error` of the answer. */
  readonly said: string;

  constructor(pathname: string, status: number, { error, code }: Refusal) {
    const said = typeof error === "string" ? error : `HTTP ${status}`;
    super("CONTROL_FAILED", `the running process refused ${pathname}: ${said}`);
    this.status = status;
    this.reason = typeof code === "string" ? code : null;
    this.said = said;
  }
}

/** The body of an answer without success. */
interface Refusal {
  readonly error?: unknown;
  readonly code?: unknown;
}

/**
 * Asks the running process. Throws {@link ControlError}; `NO_ANSWER` where it ended, or took too
 * long, and what became of the question is not known.
 */
export async function callProcess<Answer>(
  home: string,
  { port, module }: Pick<ProcessRecord, "port" | "module">,
  pathname: string,
  body?: { readonly json: unknown },
): Promise<Answer> {
  const token = await readToken(home);
  const limitMs = pathname === STATUS ? ANSWER_MS : COMMAND_MS;
  const signal = AbortSignal.timeout(limitMs);
  let response: Response;
  let text: string;
  try {
    response = await fetch(`http://127.0.0.1:${port}${pathname}`, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        authorization: `Bearer ${token ?? ""}`,
        "content-type": "application/json",
        ...(module !== undefined && { "orgloop-module": encodeURIComponent(module) }),
      },
      ...(body !== undefined && { body: JSON.stringify(body.json) }),
      signal,
    });
    text = await response.text();
  } catch (error) {
    const how = signal.aborted
      ? `gave no answer within ${limitMs / 1000} s`
      : "ended before it answered";
    throw new OrgLoopError("NO_ANSWER", `the process on port ${port} ${how} (${pathname})`, {
      cause: error,
    });
  }
  if (!response.ok) throw new ControlError(pathname, response.status, refusalOf(text));
  return parseJson(text) as Answer;
}

async function answers(home: string, record: ProcessRecord): Promise<boolean> {
  try {
    const { pid } = await callProcess<{ pid?: number }>(home, record, STATUS);
    return pid === record.pid;
  } catch {
    return false;
  }
}

/**
 * What a data directory says of the process that runs on it, or ran; null where it says nothing.
 */
export async function readRecord(dataDir: string): Promise<ProcessRecord | null> {
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

function refusalOf(text: string): Refusal {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
