import { defineConnector } from "@orgloop/sdk";
import { cronSourceConfig } from "./config.ts";

export default defineConnector({
  id: "cron",
  source: {
    emits: ["resource.changed"],
    config: cronSourceConfig,
    templates: [],
    create: async (config, context) =>
      (await import("./cron-source.ts")).cronSource(config, context),
  },
});
