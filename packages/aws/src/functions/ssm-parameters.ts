import { GetParametersCommand, SSMClient } from "@aws-sdk/client-ssm";

/** Parameters of one call (AWS, GetParameters). */
const PARAMETERS = 10;

/**
 * The values of parameters, decrypted, by their full names; those that do not exist are left out.
 */
export async function ssmParameters(
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const ssm = new SSMClient({});
  const found = new Map<string, string>();
  for (let at = 0; at < names.length; at += PARAMETERS) {
    const Names = names.slice(at, at + PARAMETERS);
    const { Parameters = [] } = await ssm.send(
      new GetParametersCommand({ Names, WithDecryption: true }),
    );
    for (const { Name, Value } of Parameters) {
      if (Name !== undefined && Value !== undefined) found.set(Name, Value);
    }
  }
  ssm.destroy();
  return found;
}
