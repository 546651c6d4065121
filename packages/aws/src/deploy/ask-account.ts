import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { explainAwsError } from "../operate/aws-errors.ts";

export interface AskAccount {
  readonly workspace: string;
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
}

/** A deploy that nobody answers should say so while somebody looks. */
const CONNECT_MS = 5_000;

/**
 * Whose credentials these are, and where they lead. Rejects with what is wrong in the operator's
 * words: `AWS_NO_CREDENTIALS`, `AWS_CREDENTIALS_REFUSED`, `AWS_UNREACHABLE`, `AWS_NO_REGION`.
 */
export async function askAccount({
  workspace,
  region,
  profile,
}: AskAccount): Promise<{ readonly account: string; readonly region: string }> {
  const sts = new STSClient({
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
    maxAttempts: 2,
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: 4 * CONNECT_MS },
  });
  let asked: string | null = region ?? null;
  try {
    asked = await sts.config.region();
    const { Account: account = "" } = await sts.send(new GetCallerIdentityCommand({}));
    return { account, region: asked };
  } catch (error) {
    throw explainAwsError(error, { workspace, region: asked });
  } finally {
    sts.destroy();
  }
}
