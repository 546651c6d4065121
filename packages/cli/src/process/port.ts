import { OrgLoopError } from "@orgloop/sdk";
import { CommandError } from "../command-error.ts";

const DEFAULT_PORT = 4800;

/** `--port`, else `ORGLOOP_PORT`, else 4800. Throws `USAGE`. */
export function chosenPort(flag: string | undefined, env: NodeJS.ProcessEnv): number {
  const [from, text] = flag === undefined ? ["ORGLOOP_PORT", env.ORGLOOP_PORT] : ["--port", flag];
  return text === undefined || text === "" ? DEFAULT_PORT : portOf(from as string, text);
}

/**
 * `ORGLOOP_METRICS_PORT`: where Prometheus finds `/metrics` besides; null where it is not set.
 * Throws `USAGE`.
 */
export function metricsPort({ ORGLOOP_METRICS_PORT: text }: NodeJS.ProcessEnv): number | null {
  return text === undefined || text === "" ? null : portOf("ORGLOOP_METRICS_PORT", text);
}

function portOf(from: string, text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new CommandError("USAGE", `${from}: "${text}" is no port: expected 0 to 65535`);
}

/** Who listens on a port that is taken, where it is an OrgLoop. */
export async function listenerOn(port: number): Promise<string | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/api/status`, {
      signal: AbortSignal.timeout(1_000),
    });
    const { pid, modules } = (await response.json()) as {
      pid: number;
      modules: readonly { readonly name: string }[];
    };
    return `project "${modules[0]?.name}" (process ${pid})`;
  } catch {
    return null;
  }
}

/** The refusal of a port that is taken: by whom, and what to do. */
export async function portInUse(port: number, cause: unknown): Promise<OrgLoopError> {
  const listener = (await listenerOn(port)) ?? "another program";
  return new OrgLoopError(
    "PORT_IN_USE",
    `port ${port} is in use by ${listener}: stop it, or choose another port with --port or ORGLOOP_PORT (--port 0 takes a free one)`,
    { cause },
  );
}
