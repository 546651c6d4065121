import { cliVersion } from "../cli-version.ts";
import type { Command } from "../command.ts";

/** `orgloop version`. */
export const version: Command = async ({ output }) => {
  const platform = `${process.platform} ${process.arch}`;
  const found = { version: cliVersion(), node: process.version, platform };
  output.result(found, `orgloop ${found.version} (Node ${found.node}, ${platform})`);
  return 0;
};
