import { homedir } from "node:os";
import path from "node:path";
import { messageOf } from "@orgloop/sdk";
import type { Command, CommandContext, GlobalFlags } from "./command.ts";
import { CommandError, type ExitStatus, exitStatusOf } from "./command-error.ts";
import { DEFAULT, selectedWorkspace } from "./project/selected-workspace.ts";
import { type Output, processOutput } from "./terminal/output.ts";

/** The global flags as commander hands them over; `color` is false after `--no-color`. */
export interface RawFlags {
  readonly config?: string;
  readonly workspace?: string;
  readonly verbose?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color?: boolean;
}

/**
 * Runs a command to its exit status; what it throws is told, with a stack only under `--verbose`.
 */
export async function runCommand<Options>(
  command: Command<Options>,
  raw: RawFlags,
  args: readonly string[],
  options: Options,
): Promise<void> {
  const context = commandContext(raw);
  const { flags, home } = context;
  try {
    const workspace = raw.workspace ?? selectedWorkspace(home, flags.config);
    checkWorkspaceName(workspace);
    process.exitCode = await command({ ...context, flags: { ...flags, workspace } }, args, options);
  } catch (error) {
    process.exitCode = statusOf(error);
    reportError(context.output, flags, error);
  }
}

/**
 * Tells what went wrong: a JSON document where one is expected and none was given yet, else a line
 * on stderr.
 */
export function reportError(
  output: Output,
  flags: Pick<GlobalFlags, "json" | "verbose">,
  error: unknown,
): void {
  const code = error instanceof Error && "code" in error ? String(error.code) : "FAILED";
  if (flags.json && !output.answered) {
    output.result({ error: { code, message: messageOf(error) } }, "");
  } else output.error(messageOf(error));
  if (flags.verbose && error instanceof Error) output.note(String(error.stack));
}

/** In a command that an exec actor runs, ORGLOOP_CONFIG holds its route's config: no path. */
function projectOf({ ORGLOOP_CONFIG: config }: NodeJS.ProcessEnv): string | undefined {
  return config?.startsWith("{") ? undefined : config;
}

function commandContext(raw: RawFlags): CommandContext {
  const config = raw.config ?? projectOf(process.env);
  const flags: GlobalFlags = {
    config: path.resolve(config ?? "."),
    configGiven: config !== undefined,
    workspace: raw.workspace ?? DEFAULT,
    verbose: raw.verbose ?? false,
    json: raw.json ?? false,
    quiet: raw.quiet ?? false,
  };
  return {
    flags,
    output: processOutput({ ...flags, color: raw.color ?? true }),
    env: process.env,
    home: path.resolve(process.env.ORGLOOP_HOME || path.join(homedir(), ".orgloop")),
  };
}

/** It becomes a directory's name. */
function checkWorkspaceName(name: string): void {
  if (/^[A-Za-z0-9][\w.-]*$/.test(name)) return;
  throw new CommandError(
    "USAGE",
    `--workspace "${name}": expected letters, digits, "-", "_" or "."`,
  );
}

function statusOf(error: unknown): ExitStatus {
  if (!(error instanceof Error)) return 1;
  const status = "exitStatus" in error ? error.exitStatus : undefined;
  if (status === 1 || status === 2) return status;
  return exitStatusOf("code" in error ? error.code : undefined);
}
