import type { Emulator } from "./emulator.ts";

/**
 * What an AWS client of the SDK is made with to talk to `emulator`, whatever this process's
 * environment says.
 */
export function clientConfig({ endpoint, env }: Pick<Emulator, "endpoint" | "env">) {
  const { AWS_REGION = "", AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = env;
  return {
    endpoint,
    region: AWS_REGION,
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
  };
}
