import { availableParallelism } from "node:os";
import {
  childEnvironment,
  decodeUtf8,
  fairPool,
  messageOf,
  OrgLoopError,
  type OrgLoopEvent,
  type PluginContext,
  parseJson,
  type Transform,
} from "@orgloop/sdk";
import type { ScriptConfig } from "./config.ts";
import { runScript, type ScriptExit } from "./run-script.ts";
import { scriptPath } from "./script-path.ts";

/** Processes at a time, of all scripts; a slow one leaves its place to another route's. */
const PLACES = Math.max(8, 4 * availableParallelism());
const pool = fairPool({ places: PLACES, each: PLACES / 2, slowMs: 1_000, most: 64 });

/**
 * A script decides (v1alpha1, section 5): the event is JSON on stdin, the new event JSON on stdout.
 * Nothing printed, or exit code 1, drops it. Any other exit code, a signal, the timeout and what is
 * no JSON object throw `SCRIPT_FAILED`.
 */
export async function scriptTransform(
  { script, env: listed }: ScriptConfig,
  { projectDir, mask }: Pick<PluginContext, "projectDir" | "mask">,
): Promise<Transform> {
  const path = await scriptPath(projectDir, script);
  return {
    pool,
    async execute(event, { actor, route, signal }) {
      const env = childEnvironment(process.env, listed, {
        ORGLOOP_SOURCE: event.source,
        ORGLOOP_TARGET: actor,
        ORGLOOP_EVENT_TYPE: event.type,
        ORGLOOP_EVENT_ID: event.id,
        ORGLOOP_ROUTE: route,
      });
      const input = JSON.stringify(event);
      const exit = await runScript({ path, cwd: projectDir, env, input, signal });
      if (exit.code === 1) return null;
      if (exit.code !== 0)
        throw failed(script, describeExit({ ...exit, stderr: mask(exit.stderr) }));
      return parseEvent(script, exit.stdout);
    },
  };
}

/** Null where nothing is printed. */
function parseEvent(script: string, stdout: Buffer): OrgLoopEvent | null {
  let value: unknown;
  try {
    const text = decodeUtf8(stdout);
    if (text.trim() === "") return null;
    value = parseJson(text);
  } catch (cause) {
    throw failed(script, `printed no JSON: ${messageOf(cause)}`, cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw failed(script, "printed JSON that is no event: expected an object");
  }
  return value as OrgLoopEvent;
}

function describeExit({ code, signal, stderr }: ScriptExit): string {
  const end = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
  return stderr === "" ? end : `${end}: ${stderr}`;
}

function failed(script: string, what: string, cause?: unknown): OrgLoopError {
  return new OrgLoopError("SCRIPT_FAILED", `${script} ${what}`, { cause });
}
