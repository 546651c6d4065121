import type { OpenAccount, StageOptions, StageStatus } from "@orgloop/aws/operate";
import { quotaFindings, type StageCost, stageCost, stageSize } from "@orgloop/aws/plan";
import type { LoadedProject } from "@orgloop/config";
import { hasCode, messageOf, type Topology } from "@orgloop/sdk";
import { webhookLimit } from "../aws/quota-warnings.ts";
import { polledThere, stageIntake } from "../aws/stage-intake.ts";
import { wantedVariables } from "../commands/env.ts";
import type { Check, CheckStatus } from "./check.ts";

type Operate = typeof import("@orgloop/aws/operate");

/**
 * What deploying and running the workspace on AWS needs: credentials, the account's quotas,
 * secrets, the stage itself.
 */
export async function checkStage(
  options: StageOptions,
  project: LoadedProject,
  topology: Topology,
): Promise<Check[]> {
  const operate = await import("@orgloop/aws/operate");
  const intake = await stageIntake(project, topology);
  const size = stageSize(topology, intake);
  const cost = costCheck(stageCost(topology, intake));
  const limits = (await webhookLimit(project)).map(
    (message): Check => ({ category: "quota", name: "webhooks", status: "ok", message }),
  );
  const presets = [...quotaChecks(size, new Map()), ...limits, cost];
  try {
    return await operate.withAccount(options, async (account) => [
      {
        ...CREDENTIALS,
        status: "ok",
        message: `account ${account.account}, ${account.region}`,
      },
      ...(await deployedChecks(operate, account, project)),
      ...(await secretChecks(operate, account, project)),
      ...quotaChecks(size, await operate.readQuotas(account)),
      ...limits,
      cost,
    ]);
  } catch (error) {
    return [{ ...CREDENTIALS, status: "error", message: messageOf(error) }, ...presets];
  }
}

const CREDENTIALS = { category: "aws", name: "credentials" } as const;

async function deployedChecks(
  operate: Operate,
  account: OpenAccount,
  project: LoadedProject,
): Promise<Check[]> {
  const check = { category: "aws", name: "stage" };
  try {
    const stage = await operate.openStage(account);
    const deployed = await stage.topology();
    const polled = await polledThere(project, deployed);
    const status = await operate.stageStatus(stage, Date.now(), polled);
    const { dead_letters } = status;
    const { serial, applied_at } = stage.applied;
    return [
      { ...check, status: "ok", message: `serial ${serial}, applied ${applied_at}` },
      {
        category: "aws",
        name: "dead letters",
        status: dead_letters === 0 ? "ok" : "degraded",
        message: dead_letters === 0 ? "none" : `${dead_letters}: \`orgloop dead-letters list\``,
      },
      pollCheck(status.sources),
      queueCheck(status.missing_queues ?? []),
      breakerCheck(status.routes),
      alarmCheck(deployed),
    ];
  } catch (error) {
    const shown = operate.explainAwsError(error, account);
    const status = hasCode(shown, "NO_STAGE") ? "degraded" : "error";
    return [{ ...check, status, message: messageOf(shown) }];
  }
}

const MAX_NAMED = 5;

const named = (names: readonly string[]): string =>
  names.length > MAX_NAMED
    ? `${names.slice(0, MAX_NAMED).join(", ")} and ${names.length - MAX_NAMED} more`
    : names.join(", ");

function pollCheck(sources: StageStatus["sources"]): Check {
  const check = { category: "aws", name: "polls" };
  const of = (state: string) => sources.filter((one) => one.state === state).map(({ id }) => id);
  const [stale, degraded] = [of("stale"), of("degraded")];
  const failing = degraded.length === 0 ? "" : `failing: ${named(degraded)}`;
  if (stale.length > 0) {
    const late = `not polled for several intervals: ${named(stale)}`;
    const message = `${[late, failing].filter(Boolean).join("; ")}: \`orgloop logs --phase source.error\`, docs/aws/alarms.md#sources-stale`;
    return { ...check, status: "error", message };
  }
  return failing === ""
    ? { ...check, status: "ok", message: "every source that is polled was polled in time" }
    : {
        ...check,
        status: "degraded",
        message: `${failing}: \`orgloop logs --phase source.error\``,
      };
}

function breakerCheck(routes: StageStatus["routes"]): Check {
  const check = { category: "aws", name: "breakers" };
  const open = routes.filter(({ circuit }) => circuit !== "closed").map(({ name }) => name);
  if (open.length === 0) return { ...check, status: "ok", message: "all closed" };
  const message = `open: ${named(open)}; their actors fail or cannot be opened: \`orgloop logs --phase circuit\``;
  return { ...check, status: "degraded", message };
}

function alarmCheck({ aws }: Topology): Check {
  const reported = aws?.alarms?.topic_arn ?? aws?.alarms?.emails?.join(", ");
  const message = reported ?? "nobody is told: aws.alarms names a topic or addresses";
  return { category: "aws", name: "alarms", status: "ok", message };
}

function queueCheck(missing: readonly string[]): Check {
  const check = { category: "aws", name: "queues" };
  if (missing.length === 0) return { ...check, status: "ok", message: "all there" };
  const message = `gone: ${named(missing)}; what is sent to them is not delivered: \`orgloop deploy\` brings them back`;
  return { ...check, status: "error", message };
}

async function secretChecks(
  operate: Operate,
  account: OpenAccount,
  project: LoadedProject,
): Promise<Check[]> {
  const wanted = wantedVariables(project);
  const set = await operate.readSetSecrets(
    account,
    wanted.map(({ name }) => name),
  );
  return wanted.map(({ name, uses }) => ({
    category: "secret",
    name,
    status: set.has(name) ? "ok" : "error",
    message: set.has(name)
      ? "is set"
      : `is not set; used at ${uses[0]?.file}:${uses[0]?.line}: \`orgloop secrets set ${name} -w ${account.workspace}\``,
  }));
}

function costCheck({ monthly_usd, per_million_events_usd }: StageCost): Check {
  const message = `about $${monthly_usd.toFixed(0)} a month, $${per_million_events_usd.toFixed(2)} a million more events: \`orgloop cost\` says what that assumes`;
  return { category: "aws", name: "cost", status: "ok", message };
}

const STATUS: Readonly<Record<"ok" | "tight" | "over", CheckStatus>> = {
  ok: "ok",
  tight: "degraded",
  over: "error",
};

function quotaChecks(
  size: ReturnType<typeof stageSize>,
  reported: Awaited<ReturnType<Operate["readQuotas"]>>,
): Check[] {
  return quotaFindings(size, (quota) => reported.get(quota) ?? null).map(
    ({ quota, level, needed, limit, advice }) => ({
      category: "quota",
      name: quota.label,
      status: STATUS[level],
      message: `${number(needed)}${ofLimit(limit, reported.has(quota))}${advice && `: ${advice}`}`,
    }),
  );
}

function ofLimit(limit: number, isReported: boolean): string {
  if (limit === Number.POSITIVE_INFINITY) return "; AWS sets no limit";
  return ` of ${number(limit)}${isReported ? "" : " (AWS's preset)"}`;
}

const number = (value: number): string => value.toLocaleString("en-US");
