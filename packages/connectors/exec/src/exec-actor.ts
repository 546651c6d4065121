import {
  type Actor,
  childEnvironment,
  type DeliveryContext,
  fillTemplate,
  OrgLoopError,
  type OrgLoopEvent,
  PermanentError,
  type PluginContext,
  parseDuration,
  parseTemplate,
  type TemplateValues,
} from "@orgloop/sdk";
import type { ExecActorConfig } from "./config.ts";
import { withDeliveryFiles } from "./delivery-files.ts";
import { commandPath, folderInProject } from "./project-paths.ts";
import { type Exit, runCommand } from "./run-command.ts";

/**
 * An actor that runs a command for each event. The event is JSON on stdin; the environment has
 * v1alpha1's five script variables (section 5), `ORGLOOP_ATTEMPT`, `ORGLOOP_REPLAY`, and the files
 * of the route's prompt and config ({@link withDeliveryFiles}). Exit code 0 is delivered,
 * `permanent_exit_code` a dead letter, anything else is tried again; what was printed goes into the
 * error.
 */
export async function execActor(
  config: ExecActorConfig,
  { id, projectDir, mask }: Pick<PluginContext, "id" | "projectDir" | "mask">,
): Promise<Actor> {
  const cwd = await folderInProject(projectDir, config.cwd);
  const command = config.shell ? "/bin/sh" : commandPath(projectDir, config.command);
  const args = config.shell ? ["-c", config.command, "sh", ...config.args] : config.args;
  const killAfterMs = parseDuration(config.kill_after);
  const argsOf = argumentRenderer(args, config);
  return {
    async deliver(event, context) {
      const filled = argsOf({ event, ...context });
      const exit = await withDeliveryFiles(context, (files) =>
        runCommand({
          command,
          args: filled,
          cwd,
          env: childEnvironment(process.env, config.env, {
            ...variables(id, event, context),
            ...files,
          }),
          input: JSON.stringify(event),
          killAfterMs,
          signal: context.signal,
        }),
      );
      if (exit.code === 0) return { status: "delivered" };
      const message = `${config.command} ${describeExit({ ...exit, output: mask(exit.output) })}`;
      if (exit.code === config.permanent_exit_code) throw new PermanentError(message);
      throw new OrgLoopError("COMMAND_FAILED", message);
    },
  };
}

/**
 * With `args_template` what the route's author wrote in `args` is filled in: the line of a shell is
 * `command`, which never is.
 */
function argumentRenderer(
  args: readonly string[],
  { args_template, args: written }: ExecActorConfig,
): (values: TemplateValues) => readonly string[] {
  if (!args_template) return () => args;
  const fixed = args.slice(0, args.length - written.length);
  const templates = written.map(parseTemplate);
  return (values) => {
    const filled = templates.map((template) => fillTemplate(template, values));
    if (filled.some((arg) => arg.includes("\0"))) {
      throw new PermanentError("args: a value of the event holds a NUL, which no argument can");
    }
    return [...fixed, ...filled];
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
  };
}

function describeExit({ code, signal, output }: Exit): string {
  const end = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
  return output === "" ? end : `${end}: ${output}`;
}
