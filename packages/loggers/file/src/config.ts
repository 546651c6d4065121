import { DURATION_PATTERN, SIZE_PATTERN } from "@orgloop/sdk";
import * as z from "zod";

const duration = z.string().regex(DURATION_PATTERN, "expected a duration, e.g. 7d");

const rotation = z.strictObject({
  max_size: z
    .string()
    .regex(SIZE_PATTERN, "expected a size, e.g. 100MB")
    .default("100MB")
    .meta({ description: "The file is put aside when it is this big.", examples: ["10MB"] }),
  max_age: duration.default("7d").meta({
    description: "Files put aside are deleted when they are this old.",
    examples: ["30d"],
  }),
  max_files: z
    .int()
    .min(1)
    .default(10)
    .meta({ description: "How many files put aside are kept.", examples: [30] }),
  compress: z
    .boolean()
    .default(true)
    .meta({ description: "gzip for files put aside.", examples: [false] }),
});

/** `config` of a file logger (v1alpha1, section 8). */
export const fileLoggerConfig = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .default("~/.orgloop/logs/orgloop.log")
      .meta({
        description:
          "The file; `~/` is the home directory, a relative path is one from the project.",
        examples: ["logs/orgloop.log"],
      }),
    format: z
      .literal("jsonl")
      .default("jsonl")
      .meta({ description: "The form of an entry: a line of JSON.", examples: ["jsonl"] }),
    rotation: rotation.optional().meta({
      description: "When the file is put aside, and what becomes of those put aside.",
      examples: [{ max_size: "10MB", max_files: 30 }],
    }),
    rotate: rotation.optional().meta({
      description: "Another name of `rotation`, which goes first.",
      examples: [{ max_size: "10MB" }],
    }),
    buffer: z
      .strictObject({
        size: z
          .int()
          .min(1)
          .default(100)
          .meta({ description: "Entries that are written together.", examples: [1] }),
        flush_interval: duration
          .default("1s")
          .meta({ description: "How long an entry waits at most.", examples: ["100ms"] }),
      })
      .prefault({})
      .meta({
        description: "How entries are gathered before they are written.",
        examples: [{ size: 1 }],
      }),
  })
  .meta({
    title: "File logger",
    description:
      "Writes the event log to a file, in addition to `data/log`, which is always written.",
    examples: [{ path: "logs/orgloop.log", rotation: { max_size: "10MB" } }],
  });
export type FileLoggerConfig = z.output<typeof fileLoggerConfig>;
export type Rotation = z.output<typeof rotation>;
export const DEFAULT_ROTATION: Rotation = rotation.parse({});
