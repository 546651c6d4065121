import { OrgLoopError, type OrgLoopEvent, parseJson, type Transform } from "@orgloop/sdk";
import { evaluateJq, jqPool, retainJq } from "./jq-engine.ts";

/** jq's exit code for an expression that does not compile. */
const COMPILE_ERROR = 3;

const NEVER = new AbortController().signal;

/**
 * `jq -e` on each event (v1alpha1, section 5). Exit code 0 passes it, anything else drops it, an
 * error inside the expression too. An object with an `id` replaces the event. Throws `INVALID_JQ`
 * for an expression that does not compile, and on an event `JQ_FAILED` where jq itself could not
 * finish: that is never a drop.
 */
export async function jqTransform(expression: string): Promise<Transform> {
  const release = retainJq();
  try {
    const check = () => evaluateJq("null", expression);
    const { exitCode, stderr } = await jqPool.run("", check, NEVER);
    if (exitCode === COMPILE_ERROR) {
      throw new OrgLoopError("INVALID_JQ", `jq: the expression does not compile: ${stderr.trim()}`);
    }
  } catch (error) {
    await release();
    throw error;
  }
  return {
    pool: jqPool,
    async execute(event, { signal }) {
      const { exitCode, stdout } = await evaluateJq(JSON.stringify(event), expression, signal);
      return exitCode === 0 ? (replacement(stdout) ?? event) : null;
    },
    close: release,
  };
}

/**
 * Several outputs are no JSON document: like every other truthy output they let the event through
 * as it is.
 */
function replacement(stdout: string): OrgLoopEvent | undefined {
  try {
    const value: unknown = parseJson(stdout);
    const isEvent = typeof value === "object" && value !== null && "id" in value && value.id;
    return isEvent ? (value as OrgLoopEvent) : undefined;
  } catch {
    return undefined;
  }
}
