import { text as readText } from "node:stream/consumers";
import { stageOf } from "../aws/stage.ts";
import type { Command, CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { readProject } from "../project/read-project.ts";
import { wantedVariables } from "./env.ts";

/**
 * `orgloop secrets set NAME [VALUE|-]`: writes the stage's parameter itself. Without a value, and
 * with `-`, it is read from stdin, where it leaves no trace in the shell's history.
 */
export const secretsSet: Command = async (context, [name = "", given]) => {
  const { project, stage } = await stageProject(context);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new CommandError("USAGE", `"${name}" is no name of a variable: letters, digits and _`);
  }
  const value =
    given === undefined || given === "-"
      ? (await readText(process.stdin)).replace(/\r?\n$/, "")
      : given;
  if (value === "") {
    throw new CommandError(
      "USAGE",
      `${name}: the value is empty; give it after the name, or on stdin`,
    );
  }
  const { withAccount, writeSecret } = await import("@orgloop/aws/operate");
  const account = await withAccount(stage, async (opened) => {
    await writeSecret(opened, name, value);
    return { account: opened.account, region: opened.region };
  });
  const known = wantedVariables(project).some((one) => one.name === name);
  if (!known) context.output.warn(`nothing in the configuration refers to \${${name}}`);
  context.output.result(
    { set: name, workspace: stage.workspace, ...account },
    `Set ${name} for "${stage.workspace}" in ${account.account}, ${account.region}; running functions use it within five minutes.`,
  );
  return 0;
};

/** `orgloop secrets list`: what the configuration wants, and whether the stage has it. */
export const secretsList: Command = async (context) => {
  const { project, stage } = await stageProject(context);
  const { withAccount, readSetSecrets } = await import("@orgloop/aws/operate");
  const wanted = wantedVariables(project);
  const names = wanted.map(({ name }) => name);
  const set = await withAccount(stage, (account) => readSetSecrets(account, names));
  const secrets = wanted.map(({ name, uses }) => ({ name, set: set.has(name), uses }));
  const { output } = context;
  output.result(
    { workspace: stage.workspace, secrets },
    secrets.length === 0
      ? "The configuration wants no secrets."
      : secrets
          .map(({ name, set: isSet }) =>
            isSet
              ? `${output.style("green", "✓")} ${name}`
              : `${output.style("red", "✗")} ${name} is not set`,
          )
          .join("\n"),
  );
  return 0;
};

async function stageProject(context: CommandContext) {
  const project = await readProject(context);
  const stage = stageOf(context, project);
  if (stage !== null) return { project, stage };
  const { workspace } = context.flags;
  const why =
    project.topology === null
      ? `the configuration of the workspace "${workspace}" has errors: \`orgloop validate\` lists them`
      : `workspace "${workspace}" is not on AWS: a process takes variables from its environment and .env`;
  throw new CommandError(project.topology === null ? "CONFIG_INVALID" : "NOT_AWS", why);
}
