import { deliverySchema } from "./delivery-schema.ts";
import { duration, head, list, mapping, metadata, name, oneOrMore, text } from "./fields.ts";
import { moduleUsesSchema } from "./module-schema.ts";
import { varsSchema } from "./project-schema.ts";

/** `defaults` of a team: what its items do not say. */
export const teamDefaultsSchema = mapping({
  poll_interval: duration()
    .optional()
    .describe("Time between polls of the team's sources; counts as said by each of them."),
  repeat_window: duration()
    .optional()
    .describe("How long what the team's sources have sent is known again."),
  delivery: deliverySchema.optional().describe("What the delivery of the team's routes omits."),
});

/** `teams/<team>/team.yaml` (`docs/configuration.md`, Teams). */
export const teamSchema = mapping({
  ...head("Team"),
  metadata: metadata(),
  owners: oneOrMore(text("an owner, e.g. @acme/platform"), "an owner, or a list of them")
    .optional()
    .describe("Whom to ask about what the team has."),
  defaults: teamDefaultsSchema.nullish().describe("What the team's items do not say."),
  vars: varsSchema,
  modules: moduleUsesSchema,
  exports: list(name(), "names").describe("What others may refer to, as TEAM/NAME."),
}).meta({ id: "Team" });
