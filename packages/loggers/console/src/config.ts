import * as z from "zod";

/** `config` of a console logger (v1alpha1, section 8). */
export const consoleConfig = z.strictObject({
  level: z.enum(["debug", "info", "warn", "error"]).default("info"),
  color: z
    .boolean()
    .default(true)
    .describe("Colours, on a terminal only and not where NO_COLOR is set."),
  compact: z.boolean().default(true).describe("One line an entry."),
  show_payload: z
    .boolean()
    .default(false)
    .describe("With `compact: false`: the entry's metadata below its line."),
});
export type ConsoleConfig = z.output<typeof consoleConfig>;
