import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/** AWS on this machine. */
export interface Emulator {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  /** What makes the SDK, the CDK and SST talk to it; for `process.env` or a child's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends it with all that it started, and removes what it wrote. */
  stop(): Promise<void>;
}

export interface EmulatorOptions {
  readonly name: string;
  /** Also the access key: the CDK caches which account a key belongs to. */
  readonly account: string;
  readonly python: string;
  readonly module: string;
  readonly port: number;
  /** Answers 200 when it is ready. */
  readonly healthPath: string;
  readonly env: Readonly<Record<string, string>>;
  /** How long it may take to become ready. */
  readonly patienceMs: number;
}

const LAUNCHER = path.join(import.meta.dirname, "run-while-stdin-is-open.py");
const REGION = "eu-west-1";
const OUTPUT_KEPT = 4_000;

/**
 * Starts an emulator that is a Python module, in a process group and a temporary folder of its own.
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { name, account, port, healthPath, patienceMs } = options;
  const directory = await mkdtemp(path.join(tmpdir(), `orgloop-${name}-`));
  const endpoint = `http://127.0.0.1:${port}`;
  const env = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: account,
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_EC2_METADATA_DISABLED: "true",
    // What a developer has on this machine stays out of it.
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  };
  const child = spawn(options.python, [LAUNCHER, options.module], {
    cwd: directory,
    // Detached: a process group of its own, so that the functions it runs end with it.
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
    env: {
      PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH}`,
      HOME: directory,
      TMPDIR: directory,
      PYTHONDONTWRITEBYTECODE: "1",
      ...options.env,
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-OUTPUT_KEPT);
    });
  }
  const stop = async () => {
    await end(child);
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  const deadline = Date.now() + patienceMs;
  while (!(await answers(endpoint + healthPath))) {
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (!ended && Date.now() < deadline) {
      await wait(50);
      continue;
    }
    await stop();
    throw new Error(`${name} ${ended ? "ended" : "did not answer in time"}:\n${output}`);
  }
  return { endpoint, env, stop };
}

/** A port of 127.0.0.1 that was free just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  process.kill(-child.pid, "SIGKILL");
  await exited;
}
