import * as z from "zod";

/** `config` of a console actor. */
export const consoleActorConfig = z
  .strictObject({
    template: z
      .string()
      .min(1)
      .default(
        "{{event.timestamp}} {{event.source}} {{event.provenance.platform_event}} {{event.id}}",
      )
      .meta({
        description:
          "The line, with `{{event.x}}`, `{{config.x}}`, `{{route}}` and `{{launch_prompt}}`.",
        examples: ["{{event.id}} {{payload.title}}"],
      }),
  })
  .meta({
    title: "Console actor",
    description: "Writes a line to stdout for each event. For trying out what a route takes.",
    examples: [{ template: "{{event.source}} {{payload.title}}" }],
  });
export type ConsoleActorConfig = z.output<typeof consoleActorConfig>;
