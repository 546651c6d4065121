import {
  type Actor,
  type DeliveryContext,
  OrgLoopError,
  type OrgLoopEvent,
  PermanentError,
  type PluginContext,
  parseDuration,
} from "@orgloop/sdk";
import type { ExecActorConfig } from "./config.ts";
import { commandPath, folderInProject } from "./project-paths.ts";
import { type Exit, runCommand } from "./run-command.ts";

/**
 * An actor that runs a command for each event. The event is JSON on stdin; the environment has v1alpha1's five script variables
 * (section 5), `ORGLOOP_ATTEMPT`, `ORGLOOP_REPLAY` and, where the route has a prompt, `ORGLOOP_PROMPT_FILE`.
 * Exit code 0 is delivered, `permanent_exit_code` a dead letter, anything else is tried again; what was printed goes into the error.
 */
export async function execActor(
  config: ExecActorConfig,
  { id, projectDir }: Pick<PluginContext, "id" | "projectDir">,
): Promise<Actor> {
  const cwd = await folderInProject(projectDir, config.cwd);
  const command = config.shell ? "/bin/sh" : commandPath(projectDir, config.command);
  const args = config.shell ? ["-c", config.command, "sh", ...config.args] : config.args;
  const killAfterMs = parseDuration(config.kill_after);
  const ownEnv = Object.fromEntries(
    Object.entries(config.env).map(([name, value]) => [name, String(value)]),
  );
  return {
    async deliver(event, context) {
      const exit = await runCommand({
        command,
        args,
        cwd,
        env: { ...process.env, ...variables(id, event, context), ...ownEnv },
        input: JSON.stringify(event),
        killAfterMs,
        signal: context.signal,
      });
      if (exit.code === 0) return { status: "delivered" };
      const message = `${config.command} ${describeExit(exit)}`;
      if (exit.code === config.permanent_exit_code) throw new PermanentError(message);
      throw new OrgLoopError("COMMAND_FAILED", message);
    },
  };
}

function variables(actor: string, event: OrgLoopEvent, context: DeliveryContext) {
  return {
    ORGLOOP_SOURCE: event.source,
    ORGLOOP_TARGET: actor,
    ORGLOOP_EVENT_TYPE: event.type,
    ORGLOOP_EVENT_ID: event.id,
    ORGLOOP_ROUTE: context.route,
    ORGLOOP_ATTEMPT: String(context.attempt),
    ORGLOOP_REPLAY: String(context.replay),
    ...(context.prompt && { ORGLOOP_PROMPT_FILE: context.prompt.file }),
  };
}

function describeExit({ code, signal, output }: Exit): string {
  const end = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
  return output === "" ? end : `${end}: ${output}`;
}
