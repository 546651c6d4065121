import { defineConnector } from "@orgloop/sdk";
import { githubSourceConfig } from "./config.ts";

export default defineConnector({
  id: "github",
  source: {
    emits: ["resource.changed"],
    repeatWindow: "7d",
    keyed: true,
    config: githubSourceConfig,
    templates: [],
    create: async (config, context) =>
      (await import("./github-source.ts")).githubSource(config, context),
  },
});
