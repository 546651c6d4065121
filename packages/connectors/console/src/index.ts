import { defineConnector } from "@orgloop/sdk";
import { consoleActorConfig } from "./config.ts";

export default defineConnector({
  id: "console",
  actor: {
    config: consoleActorConfig,
    templates: ["template"],
    create: async (config) =>
      (await import("./console-actor.ts")).consoleActor(config, process.stdout),
  },
});
