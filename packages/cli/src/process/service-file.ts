import { homedir } from "node:os";
import path from "node:path";

export type Platform = "launchd" | "systemd";

/** What a service runs. All paths absolute. */
export interface ServiceCommand {
  readonly node: string;
  readonly home: string;
  readonly config: string;
  readonly workspace: string;
}

import { COMMAND as BIN } from "../package-files.ts";

const LABEL = "com.orgloop.daemon";
export const UNIT = "orgloop";

/** Where a user's service stands. */
export function servicePath(platform: Platform, env: NodeJS.ProcessEnv): string {
  const user = env.HOME || homedir();
  if (platform === "launchd") return path.join(user, "Library/LaunchAgents", `${LABEL}.plist`);
  const config = env.XDG_CONFIG_HOME || path.join(user, ".config");
  return path.join(config, "systemd/user", `${UNIT}.service`);
}

/**
 * The service as its platform has it: it runs in the foreground of the platform's supervisor, and
 * takes other projects as a daemon does.
 */
export function serviceText(platform: Platform, command: ServiceCommand): string {
  return platform === "launchd" ? launchdPlist(command) : systemdUnit(command);
}

function argv({ node, config, workspace }: ServiceCommand): string[] {
  return [node, BIN, "start", "--config", config, "--workspace", workspace, "--no-color"];
}

function systemdUnit(command: ServiceCommand): string {
  const { home } = command;
  const quoted = (word: string): string =>
    `"${word.replaceAll(/["\\]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$")}"`;
  return `[Unit]
Description=OrgLoop: routes an organisation's events
After=network.target

[Service]
Type=simple
ExecStart=${argv(command).map(quoted).join(" ")}
Environment=${quoted(`ORGLOOP_HOME=${home}`)} "ORGLOOP_DAEMON=1"
Restart=on-failure
RestartSec=5
# A drain gives attempts in flight 8 s.
TimeoutStopSec=20

[Install]
WantedBy=default.target
`;
}

function launchdPlist(command: ServiceCommand): string {
  const { home } = command;
  const logs = path.join(home, "logs");
  const string = (text: string): string =>
    `<string>${text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")}</string>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  ${string(LABEL)}
  <key>ProgramArguments</key>
  <array>
${argv(command)
  .map((word) => `    ${string(word)}`)
  .join("\n")}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>ORGLOOP_HOME</key>
    ${string(home)}
    <key>ORGLOOP_DAEMON</key>
    ${string("1")}
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ExitTimeOut</key>
  <integer>20</integer>
  <key>StandardOutPath</key>
  ${string(path.join(logs, "daemon.stdout.log"))}
  <key>StandardErrorPath</key>
  ${string(path.join(logs, "daemon.stderr.log"))}
</dict>
</plist>
`;
}
