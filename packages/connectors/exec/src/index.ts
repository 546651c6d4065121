import { defineConnector, isMapping } from "@orgloop/sdk";
import { execActorConfig } from "./config.ts";

export default defineConnector({
  id: "exec",
  actor: {
    config: execActorConfig,
    templates: (config) => (isMapping(config) && config.args_template === true ? ["args"] : []),
    // A line of sh may begin with anything.
    programs: (config) => (isMapping(config) && config.shell === true ? [] : ["command"]),
    create: async (config, context) => (await import("./exec-actor.ts")).execActor(config, context),
  },
});
