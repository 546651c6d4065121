import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { Command, CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { makeDirectory } from "../process/make-directory.ts";
import { type Platform, servicePath, serviceText, UNIT } from "../process/service-file.ts";
import { readValidProject } from "../project/read-project.ts";
import { replaceText } from "../project/replace-text.ts";

export interface InstallFlags {
  readonly launchd?: boolean;
  readonly systemd?: boolean;
  readonly docker?: boolean;
}

/**
 * `orgloop install-service` (v1alpha1, section 9): a service of the user for this machine, or files
 * for Docker in the project.
 */
export const installService: Command<InstallFlags> = async (context, _args, flags) => {
  const { projectDir } = await readValidProject(context);
  if (flags.docker) return dockerFiles(context, projectDir);
  const { output, home, env } = context;
  const { config, workspace } = context.flags;
  const native = process.platform === "darwin" ? "launchd" : "systemd";
  const platform: Platform = flags.launchd ? "launchd" : flags.systemd ? "systemd" : native;
  const file = servicePath(platform, env);
  const text = serviceText(platform, { node: process.execPath, home, config, workspace });
  await makeDirectory(path.dirname(file));
  await makeDirectory(path.join(home, "logs"), { mode: 0o700 });
  await replaceText(file, text);
  const activate =
    platform === "launchd"
      ? [`launchctl load ${file}`]
      : ["systemctl --user daemon-reload", `systemctl --user enable --now ${UNIT}`];
  output.result(
    { platform, file, config },
    [
      `${output.style("green", "✓")} ${file}`,
      "To activate it:",
      ...activate.map((one) => `  ${one}`),
      "It has none of your shell's variables: put the project's into its .env.",
    ].join("\n"),
  );
  return 0;
};

const DOCKERFILE = `FROM node:24-slim
WORKDIR /project
COPY package*.json ./
RUN npm install --omit=dev
COPY . .
ENV ORGLOOP_HOME=/data
VOLUME /data
CMD ["npx", "orgloop", "start"]
`;
const COMPOSE = `services:
  orgloop:
    build: .
    restart: unless-stopped
    # A drain gives attempts in flight 8 s.
    stop_grace_period: 20s
    env_file: [{ path: .env, required: false }]
    volumes: ["orgloop-data:/data"]
volumes:
  orgloop-data:
`;

async function dockerFiles({ output }: CommandContext, projectDir: string): Promise<0> {
  const files = { Dockerfile: DOCKERFILE, "docker-compose.yaml": COMPOSE };
  const present = Object.keys(files).filter((name) => existsSync(path.join(projectDir, name)));
  if (present.length > 0) {
    throw new CommandError(
      "EXISTS",
      `${present.join(", ")} ${present.length === 1 ? "is" : "are"} there already: nothing was written`,
    );
  }
  for (const [name, text] of Object.entries(files)) {
    await writeFile(path.join(projectDir, name), text, { flag: "wx" });
  }
  output.result(
    { platform: "docker", files: Object.keys(files), config: projectDir },
    [
      ...Object.keys(files).map((name) => `${output.style("green", "✓")} ${name}`),
      "The project's package.json must have orgloop among its dependencies. Then: docker compose up -d",
    ].join("\n"),
  );
  return 0;
}
