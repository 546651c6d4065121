import * as z from "zod";

/** `config` of a file actor. */
export const fileActorConfig = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .meta({
        description:
          "The file to append to; folders are created. Relative paths are from the project and stay in it; an absolute path goes anywhere.",
        examples: ["out/events.jsonl"],
      }),
    fsync: z
      .boolean()
      .default(true)
      .meta({
        description:
          "An event counts as delivered once its line would survive a power cut. Events that arrive together share one fsync.",
        examples: [false],
      }),
  })
  .meta({
    title: "File actor",
    description: "Appends each event to a file, a line of JSON each.",
    examples: [{ path: "out/events.jsonl" }],
  });
export type FileActorConfig = z.output<typeof fileActorConfig>;
