import { defineTransform } from "@orgloop/sdk";
import { dedupConfig } from "./config.ts";

export default defineTransform({
  id: "dedup",
  config: dedupConfig,
  templates: [],
  paths: ["key", "fields"],
  create: async (config, context) =>
    (await import("./dedup-transform.ts")).dedupTransform(config, context),
});
