import { DURATION_PATTERN, SIZE_PATTERN } from "@orgloop/sdk";
import * as z from "zod";

const duration = z.string().regex(DURATION_PATTERN, "expected a duration, e.g. 7d");

const rotation = z.strictObject({
  max_size: z
    .string()
    .regex(SIZE_PATTERN, "expected a size, e.g. 100MB")
    .default("100MB")
    .describe("The file is put aside when it is this big."),
  max_age: duration.default("7d").describe("Files put aside are deleted when they are this old."),
  max_files: z.int().min(1).default(10).describe("How many files put aside are kept."),
  compress: z.boolean().default(true).describe("gzip for files put aside."),
});

/** `config` of a file logger (v1alpha1, section 8). */
export const fileLoggerConfig = z.strictObject({
  path: z
    .string()
    .min(1)
    .default("~/.orgloop/logs/orgloop.log")
    .describe("`~/` is the home directory; a relative path is one from the project."),
  format: z.literal("jsonl").default("jsonl"),
  rotation: rotation.optional(),
  rotate: rotation.optional().describe("Another name of `rotation`, which goes first."),
  buffer: z
    .strictObject({
      size: z.int().min(1).default(100).describe("Entries that are written together."),
      flush_interval: duration.default("1s").describe("How long an entry waits at most."),
    })
    .prefault({}),
});
export type FileLoggerConfig = z.output<typeof fileLoggerConfig>;
export type Rotation = z.output<typeof rotation>;
export const DEFAULT_ROTATION: Rotation = rotation.parse({});
