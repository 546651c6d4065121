import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import {
  DeleteParameterCommand,
  GetParameterCommand,
  PutParameterCommand,
  SSMClient,
} from "@aws-sdk/client-ssm";
import { OrgLoopError } from "@orgloop/sdk";
import { awsNames } from "../plan/aws-names.ts";

/** Of a stage, while it is deployed or removed: at most one at a time does. */
export interface DeployLock {
  readonly id: string;
  /** Who, where and what. */
  readonly owner: string;
  readonly since: string;
  /** From then on it holds nobody up: whoever had it is gone. */
  readonly until: string;
}

export interface LockOptions {
  readonly stage: string;
  readonly region?: string;
  readonly profile?: string;
  readonly owner: string;
  /** Takes it from whoever has it. */
  readonly force: boolean;
  readonly nowMs: number;
}

/** Longer than the largest stage takes to be created. */
const LOCK_MS = 2 * 3_600_000;

/**
 * Takes the lock of a stage: a parameter that is made only where there is none. Throws
 * `DEPLOY_LOCKED` where somebody has it.
 */
export async function takeDeployLock(options: LockOptions): Promise<DeployLock> {
  const { stage, region, profile, owner, force, nowMs } = options;
  const ssm = new SSMClient({ ...(region && { region }), ...(profile && { profile }) });
  const Name = awsNames(stage).lockParameter;
  const lock: DeployLock = {
    ...{ id: randomUUID(), owner, since: new Date(nowMs).toISOString() },
    until: new Date(nowMs + LOCK_MS).toISOString(),
  };
  const put = { Name, Type: "String", Value: JSON.stringify(lock) } as const;
  try {
    if (force) {
      await ssm.send(new PutParameterCommand({ ...put, Overwrite: true }));
      return lock;
    }
    if (await create(ssm, put)) return lock;
    const held = await heldLock(ssm, Name);
    if (held !== null && Date.parse(held.until) > nowMs) throw locked(stage, held);
    // Of two that find it over, one creates it.
    await ssm.send(new DeleteParameterCommand({ Name })).catch(ignoreAbsent);
    if (await create(ssm, put)) return lock;
    throw locked(stage, (await heldLock(ssm, Name)) ?? lock);
  } finally {
    ssm.destroy();
  }
}

async function create(
  ssm: SSMClient,
  put: ConstructorParameters<typeof PutParameterCommand>[0],
): Promise<boolean> {
  try {
    await ssm.send(new PutParameterCommand({ ...put, Overwrite: false }));
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === "ParameterAlreadyExists") return false;
    throw error;
  }
}

async function heldLock(ssm: SSMClient, Name: string): Promise<DeployLock | null> {
  try {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name }));
    return JSON.parse(Parameter?.Value ?? "null");
  } catch (error) {
    ignoreAbsent(error);
    return null;
  }
}

function ignoreAbsent(error: unknown): void {
  if (!(error instanceof Error && error.name === "ParameterNotFound")) throw error;
}

const locked = (stage: string, { owner, since, until }: DeployLock): OrgLoopError =>
  new OrgLoopError(
    "DEPLOY_LOCKED",
    `the stage "${stage}" is being changed by ${owner} since ${since}: wait for it. If nobody does any more, \`orgloop deploy --force-unlock -w ${stage}\` (or ORGLOOP_FORCE_UNLOCK=1 with sst) takes the lock; by itself it ends at ${until}`,
  );

/** Gives the lock back, where it is still this one. */
export async function releaseDeployLock(
  { stage, region }: { readonly stage: string; readonly region?: string },
  id: string,
): Promise<void> {
  const ssm = new SSMClient(region ? { region } : {});
  const Name = awsNames(stage).lockParameter;
  try {
    if ((await heldLock(ssm, Name))?.id !== id) return;
    await ssm.send(new DeleteParameterCommand({ Name })).catch(ignoreAbsent);
  } finally {
    ssm.destroy();
  }
}

/**
 * Gives the lock back when this process exits, however it does but by a signal: what CloudFormation
 * was told goes on then. The deploy tool ends by `process.exit`, which waits for nothing but a
 * child.
 */
export function releaseAtExit(
  { stage, region, profile }: Pick<LockOptions, "stage" | "region" | "profile">,
  { id }: DeployLock,
): void {
  const script = fileURLToPath(new URL("./release-lock.ts", import.meta.url));
  process.once("exit", () => {
    const env = { ...process.env, ...(profile && { AWS_PROFILE: profile }) };
    const args = [script, stage, id, ...(region ? [region] : [])];
    spawnSync(process.execPath, args, { env, stdio: ["ignore", "ignore", "inherit"] });
  });
}
