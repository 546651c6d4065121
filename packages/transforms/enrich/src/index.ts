import { defineTransform } from "@orgloop/sdk";
import { enrichConfig } from "./config.ts";

export default defineTransform({
  id: "enrich",
  config: enrichConfig,
  templates: [],
  create: async (config) => (await import("./enrich-transform.ts")).enrichTransform(config),
});
