import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { clientConfig } from "../emulators/client-config.ts";
import type { Emulator } from "../emulators/emulator.ts";

/**
 * Puts secrets where SST keeps those of a stage; gives what the names of their parameters begin
 * with.
 */
export async function putSecrets(
  aws: Pick<Emulator, "endpoint" | "env">,
  stage: string,
  secrets: Readonly<Record<string, string>>,
): Promise<string> {
  const prefix = `/sst/orgloop/${stage}/Secret/`;
  const ssm = new SSMClient(clientConfig(aws));
  for (const [name, Value] of Object.entries(secrets)) {
    const Name = `${prefix}${name}/value`;
    await ssm.send(new PutParameterCommand({ Name, Value, Type: "SecureString", Overwrite: true }));
  }
  ssm.destroy();
  return prefix;
}
