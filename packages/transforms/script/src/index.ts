import { defineTransform } from "@orgloop/sdk";
import { scriptConfig } from "./config.ts";

export default defineTransform({
  id: "script",
  config: scriptConfig,
  templates: [],
  create: async (config, context) =>
    (await import("./script-transform.ts")).scriptTransform(config, context),
});
