import { GetServiceQuotaCommand, ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { GetParametersCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { QUOTAS, type Quota } from "../plan/quotas.ts";
import type { OpenAccount } from "./open-stage.ts";

/** IAM is one for all regions, and its quotas are told there. */
const IAM_REGION = "us-east-1";

/**
 * What the account has of each quota; those that AWS does not tell are not there, and their presets
 * count.
 */
export async function readQuotas({ region }: OpenAccount): Promise<ReadonlyMap<Quota, number>> {
  const found = QUOTAS.map(async (quota): Promise<readonly [Quota, number] | null> => {
    if (quota.code === undefined) return null;
    const { service, quota: QuotaCode } = quota.code;
    const client = new ServiceQuotasClient({
      region: service === "iam" ? IAM_REGION : region,
      maxAttempts: 2,
    });
    try {
      const command = new GetServiceQuotaCommand({ ServiceCode: service, QuotaCode });
      const { Quota: reported } = await client.send(command);
      return reported?.Value === undefined ? null : [quota, reported.Value];
    } catch {
      // Not allowed to ask, or nobody there to answer: the documented preset is the next best.
      return null;
    } finally {
      client.destroy();
    }
  });
  return new Map((await Promise.all(found)).filter((it) => it !== null));
}

/** Parameters of one call (AWS, GetParameters). */
const PARAMETERS = 10;

/** Where SST keeps a stage's secrets. */
const secretParameter = (workspace: string, name: string): string =>
  `/sst/orgloop/${workspace}/Secret/${name}/value`;

/** Sets a secret of the stage, as `sst secrets set` does; a function reads it within 5 minutes. */
export async function writeSecret(
  { workspace, region }: Pick<OpenAccount, "workspace" | "region">,
  name: string,
  Value: string,
): Promise<void> {
  const ssm = new SSMClient({ region });
  const Name = secretParameter(workspace, name);
  try {
    await ssm.send(new PutParameterCommand({ Name, Value, Type: "SecureString", Overwrite: true }));
  } finally {
    ssm.destroy();
  }
}

/** Which of the variables are set as secrets of the stage; their values are not read. */
export async function readSetSecrets(
  { workspace, region }: OpenAccount,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  const ssm = new SSMClient({ region });
  const byParameter = new Map(names.map((name) => [secretParameter(workspace, name), name]));
  const found = new Set<string>();
  try {
    const all = [...byParameter.keys()];
    for (let at = 0; at < all.length; at += PARAMETERS) {
      const Names = all.slice(at, at + PARAMETERS);
      // Without decryption: whether it is there is all that is asked.
      const { Parameters = [] } = await ssm.send(new GetParametersCommand({ Names }));
      for (const { Name = "" } of Parameters) found.add(byParameter.get(Name) ?? "");
    }
    return found;
  } finally {
    ssm.destroy();
  }
}
