import * as z from "zod";

/** `config` of a console logger (v1alpha1, section 8). */
export const consoleConfig = z
  .strictObject({
    level: z
      .enum(["debug", "info", "warn", "error"])
      .default("info")
      .meta({ description: "The least serious entries that it shows.", examples: ["debug"] }),
    color: z
      .boolean()
      .default(true)
      .meta({
        description: "Colours, on a terminal only and not where NO_COLOR is set.",
        examples: [false],
      }),
    compact: z
      .boolean()
      .default(true)
      .meta({ description: "One line an entry.", examples: [false] }),
    show_payload: z
      .boolean()
      .default(false)
      .meta({
        description: "With `compact: false`: the entry's metadata below its line.",
        examples: [true],
      }),
  })
  .meta({
    title: "Console logger",
    description: "Shows the event log on stderr.",
    examples: [{ level: "debug" }],
  });
export type ConsoleConfig = z.output<typeof consoleConfig>;
