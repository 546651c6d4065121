import * as z from "zod";

/** `config` of a file actor. */
export const fileActorConfig = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe(
      "The file to append to; folders are created. Relative paths are from the project and stay in it; an absolute path goes anywhere.",
    ),
  fsync: z
    .boolean()
    .default(true)
    .describe(
      "An event counts as delivered once its line would survive a power cut. Events that arrive together share one fsync.",
    ),
});
export type FileActorConfig = z.output<typeof fileActorConfig>;
