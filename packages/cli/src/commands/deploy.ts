import type { StageOptions } from "@orgloop/aws/operate";
import { outputsOf, runSst, type SstCommand } from "../aws/sst.ts";
import { stageOf } from "../aws/stage.ts";
import type { Command, CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { planReportText } from "../plan/plan-report-text.ts";
import { briefLimits } from "../plan/plan-text.ts";
import { planReport, surveyPlan } from "../plan/survey-plan.ts";
import { warnOf } from "../plan/warn-of.ts";
import { readValidProject } from "../project/read-project.ts";
import { wantedVariables } from "./env.ts";

export interface DeployOptions {
  readonly with?: "sst";
  readonly forceUnlock?: boolean;
  readonly yes?: boolean;
}

type ValidProject = Awaited<ReturnType<typeof readValidProject>>;

/** `orgloop deploy`: makes the stage what the files say. Exit status 0 only where that is done. */
export const deploy: Command<DeployOptions> = async (context, _args, options) => {
  const { project, stage } = await deployable(context);
  const account = await preflight(context, project, stage);
  const text = await run(context, project, "deploy", options);
  const outputs = outputsOf(text);
  const { workspace } = stage;
  const listed = Object.entries(outputs).map(([name, value]) => `  ${name}: ${value}`);
  context.output.result(
    { deployed: true, workspace, ...account, outputs },
    [`Deployed "${workspace}" to ${account.account}, ${account.region}.`, ...listed].join("\n"),
  );
  return 0;
};

/** `orgloop diff`: what a deploy would change, in the organisation's words and CloudFormation's. */
export const diff: Command<DeployOptions> = async (context, _args, options) => {
  const { flags, output } = context;
  const { project, stage } = await deployable(context);
  const account = await askAccount(stage);
  const survey = await surveyPlan(context, project, project.topology);
  const text = await run(context, project, "diff", options);
  const cloudformation = stacksOf(text);
  const said = planReportText(survey, briefLimits(survey.plan), output.style);
  output.result(
    { ...account, plan: planReport(survey), cloudformation },
    flags.json ? "" : [said, "", ...cloudformation].join("\n"),
  );
  return 0;
};

/** `orgloop remove`: takes the stage down. Asks, where there is a terminal to ask on. */
export const remove: Command<DeployOptions> = async (context, _args, options) => {
  const { output } = context;
  const { project, stage } = await deployable(context);
  const account = await askAccount(stage);
  const { workspace } = stage;
  const question = `Remove the stage "${workspace}" from ${account.account}, ${account.region}, with what waits in it?`;
  if (!options.yes && (await output.confirm(question)) === false) {
    output.result({ removed: false, workspace }, "Nothing was removed.");
    return 1;
  }
  await run(context, project, "remove", options);
  output.result({ removed: true, workspace, ...account }, `Removed "${workspace}".`);
  return 0;
};

async function deployable(
  context: CommandContext,
): Promise<{ project: ValidProject; stage: StageOptions }> {
  const project = await readValidProject(context, { plugins: true });
  warnOf(project.warnings, context.output);
  const stage = stageOf(context, project);
  if (stage !== null) return { project, stage };
  const message = `workspace "${context.flags.workspace}" is not on AWS: only one with bus: sqs is deployed`;
  throw new CommandError("NOT_AWS", message);
}

const operate = () => import("@orgloop/aws/operate");

async function askAccount(stage: StageOptions) {
  const { withAccount } = await operate();
  return withAccount(stage, async ({ account, region }) => ({ account, region }));
}

/** Refuses a deploy whose functions would not find a secret that they are configured with. */
async function preflight(
  { output }: CommandContext,
  project: ValidProject,
  stage: StageOptions,
): Promise<{ readonly account: string; readonly region: string }> {
  const { withAccount, readSetSecrets } = await operate();
  const wanted = wantedVariables(project);
  return withAccount(stage, async (opened) => {
    const names = wanted.map(({ name }) => name);
    const set = await readSetSecrets(opened, names);
    const unset = wanted.filter(({ name }) => !set.has(name));
    const { account, region, workspace } = opened;
    if (unset.length > 0) {
      const listed = unset.map(({ name, uses: [first] }) =>
        first
          ? `\n  ${name}: ${first.file}:${first.line}:${first.column} ${first.path}`
          : `\n  ${name}`,
      );
      const message = `${unset.length === 1 ? "a secret is" : `${unset.length} secrets are`} not set in the stage, and nothing was deployed; \`orgloop secrets set NAME -w ${workspace}\` sets one:${listed.join("")}`;
      throw new CommandError("UNSET_SECRETS", message);
    }
    output.note(`account ${account}, ${region}; ${names.length} secrets are set`);
    return { account, region };
  });
}

function run(
  { env, output, flags }: CommandContext,
  { projectDir }: ValidProject,
  command: SstCommand,
  { forceUnlock = false }: DeployOptions,
): Promise<string> {
  return runSst({
    ...{ command, stage: flags.workspace, projectDir },
    env: { ...env, ...(forceUnlock && { ORGLOOP_FORCE_UNLOCK: "1" }) },
    show: (text) => {
      for (const line of text.split(/\r?\n/)) if (line.trim() !== "") output.note(line.trimEnd());
    },
  });
}

/** SST's lines about stacks, without its spinners. */
function stacksOf(text: string): readonly string[] {
  const from = text.indexOf("➜");
  return text
    .slice(Math.max(0, from))
    .split("\n")
    .map((line) => line.replace(/^➜\s+/, "").trimEnd())
    .filter((line) => line !== "");
}
