import { defineTransform } from "@orgloop/sdk";
import { filterConfig } from "./config.ts";

export default defineTransform({
  id: "filter",
  config: filterConfig,
  create: async (config) => (await import("./filter-transform.ts")).filterTransform(config),
});
