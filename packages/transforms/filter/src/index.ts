import { defineTransform } from "@orgloop/sdk";
import { filterConfig } from "./config.ts";

export default defineTransform({
  id: "filter",
  config: filterConfig,
  templates: [],
  paths: ["match", "match_any", "exclude"],
  create: async (config) => (await import("./filter-transform.ts")).filterTransform(config),
});
