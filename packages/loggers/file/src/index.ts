import { defineLogger } from "@orgloop/sdk";
import { fileLoggerConfig } from "./config.ts";

export default defineLogger({
  id: "file",
  config: fileLoggerConfig,
  templates: [],
  create: async (config, context) => (await import("./file-logger.ts")).fileLogger(config, context),
});
