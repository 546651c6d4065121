import { defineLogger } from "@orgloop/sdk";
import { consoleConfig } from "./config.ts";

export default defineLogger({
  id: "console",
  config: consoleConfig,
  templates: [],
  create: async (config) =>
    (await import("./console-logger.ts")).consoleLogger(config, process.stderr),
});
