import * as z from "zod";

/** `config` of a console actor. */
export const consoleActorConfig = z.strictObject({
  template: z
    .string()
    .min(1)
    .default(
      "{{event.timestamp}} {{event.source}} {{event.provenance.platform_event}} {{event.id}}",
    )
    .describe("The line, with `{{event.x}}`, `{{config.x}}`, `{{route}}` and `{{launch_prompt}}`."),
});
export type ConsoleActorConfig = z.output<typeof consoleActorConfig>;
