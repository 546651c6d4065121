import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { DEFAULT_WORKSPACE, isWorkspaceName } from "@orgloop/config";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { makeDirectory } from "../process/make-directory.ts";
import { knownWorkspaces } from "../project/known-workspaces.ts";

/**
 * `orgloop workspace new NAME`: writes `workspaces/NAME.yaml`, which changes nothing yet. The
 * selection stays.
 */
export const workspaceNew: Command = async (context, [name = ""]) => {
  if (!isWorkspaceName(name)) {
    const message = `"${name}": a workspace's name has letters, digits, "-" and "_", at most 63`;
    throw new CommandError("USAGE", message);
  }
  const { projectDir, manifestFile, workspaces } = knownWorkspaces(context);
  const present = workspaces.find((one) => one.name === name);
  if (present?.file || name === DEFAULT_WORKSPACE) {
    const where = present?.file ?? `without a file; write workspaces/${name}.yaml to change it`;
    throw new CommandError("EXISTS", `there is already a workspace "${name}": ${where}`);
  }
  const file = `workspaces/${name}.yaml`;
  const target = path.join(projectDir, file);
  await makeDirectory(path.dirname(target));
  await writeFile(target, workspaceText(name, schemaLine(projectDir, manifestFile)), {
    flag: "wx",
  });
  context.output.result(
    { workspace: name, file },
    `Created workspace "${name}": ${file}\n\`orgloop workspace select ${name}\` switches to it; \`orgloop plan -w ${name}\` shows what it starts with.`,
  );
  return 0;
};

function workspaceText(name: string, schema: string): string {
  return `${schema}# What is different in the workspace "${name}"; everything else is as in orgloop.yaml. Its state is its own.
apiVersion: orgloop/v1alpha1
kind: Workspace
metadata:
  name: ${/^\d/.test(name) || /^(true|false|null|yes|no|on|off|y|n)$/i.test(name) ? JSON.stringify(name) : name}

# bus: file
# vars: { api: "https://${name}.example.test" }
# defaults: { poll_interval: 30s }
# sources: { SOURCE: { poll: { interval: 1m } } }     # by id: merged deeply
# routes: { ROUTE: { enabled: false } }
# modules: { INSTANCE: { params: { PARAM: VALUE } } }
`;
}

/**
 * The line for editors, where the manifest has one or the project has the schemas that `init`
 * writes.
 */
function schemaLine(projectDir: string, manifestFile: string): string {
  const prefix = "# yaml-language-server: $schema=";
  const [, schema] = /^# yaml-language-server: \$schema=(\S+)/m.exec(
    readFileSync(manifestFile, "utf8"),
  ) ?? [undefined, undefined];
  const own = ".orgloop/schemas/workspace.json";
  if (existsSync(path.join(projectDir, own))) return `${prefix}../${own}\n`;
  if (schema === undefined) return "";
  const ours = schema.replace(/(^|\/)project\.json$/, "$1workspace.json");
  return `${prefix}${/^([a-z]+:|\/)/.test(ours) ? ours : path.posix.join("..", ours)}\n`;
}
