import { text } from "node:stream/consumers";
import { hasCode, parseJson } from "@orgloop/sdk";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { chosenPort } from "../process/port.ts";
import { findDaemon } from "../process/running-daemon.ts";

/** What Claude Code gives its stop hook on stdin; further keys may be there. */
interface StopHook {
  readonly session_id?: unknown;
  readonly cwd?: unknown;
  readonly transcript_path?: unknown;
}

const SOURCE = "claude-code";
const ANSWER_MS = 5_000;

/**
 * `orgloop hook claude-code-stop` (v1alpha1, section 9): hands the hook's stdin to the source
 * `claude-code`. The tool that calls it must not suffer from us: where nothing listens, that is no
 * failure.
 */
export const claudeCodeStop: Command<{ readonly port?: string }> = async (
  { home, env, output },
  _args,
  { port: flag },
) => {
  const body = JSON.stringify(stopEvent(await text(process.stdin)));
  const daemon = flag === undefined && !env.ORGLOOP_PORT ? await findDaemon(home) : null;
  const port = daemon?.port ?? chosenPort(flag, env);
  let response: Response;
  try {
    response = await fetch(`http://127.0.0.1:${port}/webhook/${SOURCE}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    output.result({ sent: false, reason: "nothing listens" }, "");
    return 0;
  }
  const answer = await response.text();
  if (!response.ok) {
    throw new CommandError(
      "REFUSED",
      `the source ${SOURCE} answered ${response.status}: ${answer}`,
    );
  }
  output.result({ sent: true }, "");
  return 0;
};

/** The hook's words as the connector of that name expects them. Throws `USAGE`. */
function stopEvent(stdin: string): object {
  let hook: StopHook;
  try {
    hook = Object(parseJson(stdin));
  } catch (cause) {
    throw new CommandError("USAGE", "stdin is no JSON: nothing was sent", { cause });
  }
  const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
  return {
    session_id: textOf(hook.session_id),
    working_directory: textOf(hook.cwd),
    duration_seconds: 0,
    exit_status: 0,
    summary: "",
    transcript_path: textOf(hook.transcript_path),
  };
}

function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const codes = ["ECONNREFUSED", "ECONNRESET", "UND_ERR_CONNECT_TIMEOUT"];
  return codes.some((code) => hasCode(error, code) || hasCode(error.cause, code));
}
