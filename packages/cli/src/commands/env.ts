import type { StageOptions } from "@orgloop/aws/operate";
import type { LoadedProject, VariableUse } from "@orgloop/config";
import { messageOf } from "@orgloop/sdk";
import { isUnasked, stageOf } from "../aws/stage.ts";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { invalidProject, readProject } from "../project/read-project.ts";
import type { Output } from "../terminal/output.ts";

/** One variable that the configuration wants. Its value is told by no command. */
export interface WantedVariable {
  readonly name: string;
  /** Null: of a stage, and nobody could be asked. */
  readonly set: boolean | null;
  readonly uses: readonly Pick<VariableUse, "file" | "line" | "column" | "path">[];
}

/**
 * `orgloop env`, and `orgloop env check` whose exit status is 1 where a variable is not set: in the
 * environment, or on AWS as a secret of the stage that the workspace is.
 */
export const env: Command = async (context, [action]) => {
  if (action !== undefined && action !== "check") {
    throw new CommandError("USAGE", `unknown argument "${action}": expected nothing, or check`);
  }
  const project = await readProject(context);
  const fatal = project.errors.filter((problem) => problem.code === "no-project");
  if (fatal.length > 0) throw invalidProject(fatal);
  const stage = stageOf(context, project);
  const wanted = wantedVariables(project);
  const variables = stage === null ? wanted : await asSecrets(stage, wanted, context.output);
  const missing = variables.filter(({ set }) => set === false).map(({ name }) => name);
  if (project.errors.length > 0) {
    context.output.warn("the configuration has errors: `orgloop validate` lists them");
  }
  context.output.result(
    { variables, missing },
    variables.length === 0
      ? "The configuration wants no variables."
      : variables.flatMap((variable) => describe(variable, context.output)).join("\n"),
  );
  const isUnknown = variables.some(({ set }) => set === null);
  if (action === "check" && isUnknown) return 1;
  if (action === "check" && missing.length > 0) {
    const how =
      stage === null
        ? "set them in the environment or in .env"
        : `\`orgloop secrets set NAME -w ${stage.workspace}\` sets one`;
    context.output.note(`not set: ${missing.join(", ")}; ${how}`);
    return 1;
  }
  return 0;
};

/** The variables of a project, each with all its uses, in the order of the files. */
export function wantedVariables({ variables }: Pick<LoadedProject, "variables">): WantedVariable[] {
  const names = Map.groupBy(variables, ({ name }) => name);
  return [...names].map(([name, uses]) => ({
    name,
    set: uses.every((use) => use.defined),
    uses: uses.map(({ file, line, column, path }) => ({ file, line, column, path })),
  }));
}

/**
 * On AWS the environment of this machine says nothing. Without credentials it is told what is
 * wanted, and not whether it is set.
 */
async function asSecrets(
  stage: StageOptions,
  wanted: readonly WantedVariable[],
  output: Output,
): Promise<WantedVariable[]> {
  const { readSetSecrets, withAccount } = await import("@orgloop/aws/operate");
  const names = wanted.map(({ name }) => name);
  try {
    const set = await withAccount(stage, (account) => readSetSecrets(account, names));
    return wanted.map((variable) => ({ ...variable, set: set.has(variable.name) }));
  } catch (error) {
    if (!isUnasked(error)) throw error;
    output.warn(`whether they are set in the stage is not known: ${messageOf(error)}`);
    return wanted.map((variable) => ({ ...variable, set: null }));
  }
}

const STATES = {
  true: ["green", "✓", "is set"],
  false: ["red", "✗", "is not set"],
  null: ["yellow", "?", "is wanted"],
} as const;

function describe({ name, set, uses }: WantedVariable, output: Output): string[] {
  const [colour, mark, said] = STATES[String(set) as keyof typeof STATES];
  return [
    `${output.style(colour, mark)} ${name} ${said}`,
    ...uses.map(({ file, line, column, path }) => `    ${file}:${line}:${column} ${path}`),
  ];
}
