import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { hasCode } from "@orgloop/sdk";
import type { Command, CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { type Platform, servicePath, UNIT } from "../process/service-file.ts";

type Action = "start" | "stop" | "status" | "logs";

/** `orgloop service start|stop|status|logs` (v1alpha1, section 9): asks the platform's own tool. */
export const service =
  (action: Action): Command =>
  async (context) => {
    const { output } = context;
    const found = findService(context);
    const [tool, ...args] = commandOf(action, found, context);
    const { code, stdout, stderr } = await run(tool, args);
    if (code !== 0 && action !== "status") {
      throw new CommandError("SERVICE_FAILED", `${tool} ${args.join(" ")}: ${stderr.trim()}`);
    }
    const said = stdout.trim() || stderr.trim();
    output.result({ platform: found.platform, action, ok: code === 0, output: said }, said);
    return code === 0 ? 0 : 1;
  };

interface FoundService {
  readonly platform: Platform;
  readonly file: string;
}

function findService({ env }: CommandContext): FoundService {
  for (const platform of ["launchd", "systemd"] as const) {
    const file = servicePath(platform, env);
    if (existsSync(file)) return { platform, file };
  }
  throw new CommandError("NOT_FOUND", "no service is installed: `orgloop install-service` first");
}

function commandOf(
  action: Action,
  { platform, file }: FoundService,
  { home }: CommandContext,
): [string, ...string[]] {
  if (platform === "systemd") {
    return action === "logs"
      ? ["journalctl", "--user", "-u", UNIT, "-n", "50", "--no-pager"]
      : ["systemctl", "--user", action, UNIT];
  }
  switch (action) {
    case "start":
      return ["launchctl", "load", file];
    case "stop":
      return ["launchctl", "unload", file];
    case "status":
      return ["launchctl", "list", path.basename(file, ".plist")];
    case "logs":
      return ["tail", "-n", "50", path.join(home, "logs", "daemon.stderr.log")];
  }
}

async function run(tool: string, args: readonly string[]) {
  const child = spawn(tool, args, { stdio: ["ignore", "pipe", "pipe"] });
  try {
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close") as Promise<[number | null]>,
    ]);
    return { code, stdout, stderr };
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
    throw new CommandError("NO_TOOL", `there is no ${tool} on this machine`, { cause: error });
  }
}
