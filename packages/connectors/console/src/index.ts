import { defineConnector } from "@orgloop/sdk";
import { consoleActorConfig } from "./config.ts";

export default defineConnector({
  id: "console",
  actor: {
    config: consoleActorConfig,
    create: async (config) =>
      (await import("./console-actor.ts")).consoleActor(config, process.stdout),
  },
});
