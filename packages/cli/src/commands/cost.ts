import {
  COST_ASSUMPTIONS,
  type CostAssumptions,
  PRICES,
  PRICES_READ,
  type StageCost,
  stageCost,
} from "@orgloop/aws/plan";
import { suggestion } from "@orgloop/engine";
import { stageIntake } from "../aws/stage-intake.ts";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { readValidProject } from "../project/read-project.ts";
import { textTable } from "../terminal/text-table.ts";

export interface CostOptions {
  /** `NAME=NUMBER` each. */
  readonly assume?: readonly string[];
}

/**
 * `orgloop cost`: what the workspace costs a month on AWS, estimated, and what a million more
 * events would.
 */
export const cost: Command<CostOptions> = async (context, _args, { assume = [] }) => {
  const { flags, output } = context;
  const project = await readValidProject(context);
  const { topology } = project;
  if (topology.bus.url !== "sqs") {
    throw new CommandError(
      "NOT_AWS",
      `workspace "${flags.workspace}" is not on AWS: only one with bus: sqs costs what this estimates`,
    );
  }
  const assumptions = { ...COST_ASSUMPTIONS, ...parseAssumptions(assume) };
  const estimate = stageCost(topology, await stageIntake(project, topology), assumptions);
  const { lines, ...totals } = estimate;
  output.result(
    {
      workspace: flags.workspace,
      currency: "USD",
      ...totals,
      lines: lines.map((line) => ({ ...line, unit: PRICES[line.price].unit })),
      assumptions,
      prices: { read: PRICES_READ, ...PRICES },
    },
    describe(flags.workspace, estimate, assumptions),
  );
  return 0;
};

function parseAssumptions(given: readonly string[]): Partial<CostAssumptions> {
  const names = Object.keys(COST_ASSUMPTIONS);
  const pairs = given.map((text) => {
    const [, name = "", number = ""] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    const value = Number(number);
    if (!names.includes(name)) {
      const message = `--assume ${text}: expected NAME=NUMBER${suggestion(name, names, "names")}`;
      throw new CommandError("USAGE", message);
    }
    const least = name.endsWith("_batch") ? Number.MIN_VALUE : 0;
    if (!Number.isFinite(value) || value < least) {
      throw new CommandError("USAGE", `--assume ${text}: "${number}" is no such number`);
    }
    return [name, value] as const;
  });
  return Object.fromEntries(pairs);
}

/** Whole numbers, and two digits of what is small. */
const readable = (quantity: number): string =>
  quantity >= 100 ? Math.round(quantity).toLocaleString("en") : String(+quantity.toPrecision(2));

const usd = (amount: number): string => `$${amount.toFixed(2)}`;

function describe(workspace: string, estimate: StageCost, assumptions: CostAssumptions): string {
  const { lines, monthly_usd, idle_usd, per_million_events_usd, events } = estimate;
  const rows = lines
    .toSorted((left, right) => right.usd - left.usd)
    .map(({ what, quantity, price, usd: amount }) => [
      usd(amount),
      what,
      `${readable(quantity)} × ${PRICES[price].unit}`,
    ]);
  const assumed = Object.entries(assumptions).map(([name, value]) => `  ${name}=${value}`);
  return [
    `Workspace "${workspace}": about ${usd(monthly_usd)} a month for ${Math.round(events).toLocaleString("en")} events,`,
    `of which ${usd(idle_usd)} whatever happens; a million more events cost ${usd(per_million_events_usd)}.`,
    "",
    textTable(["A MONTH", "WHAT FOR", "HOW MUCH"], rows),
    "",
    "Assumed (change with --assume NAME=NUMBER):",
    ...assumed,
    `Prices of ${PRICES_READ.region}, read ${PRICES_READ.date}, on demand, without free tier and transfer; --json names their pages.`,
  ].join("\n");
}
