import { writeFile } from "node:fs/promises";
import path from "node:path";
import { defineLogger, type Logger } from "@orgloop/sdk";
import * as z from "zod";

const tallyConfig = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .meta({
        description: "The file that gets the counts, from the project's folder.",
        examples: ["tally.json"],
      }),
  })
  .meta({
    title: "Tally",
    description: "Counts the entries of the event log by their phase.",
    examples: [{ path: "tally.json" }],
  });

export default defineLogger({
  id: "tally",
  config: tallyConfig,
  create: async (config, { projectDir }) => tallyLogger(path.resolve(projectDir, config.path)),
});

/**
 * Counts entries by phase. `log` neither throws nor waits; the file is written when it is flushed.
 */
function tallyLogger(file: string): Logger {
  const counts = new Map<string, number>();
  const flush = () => writeFile(file, JSON.stringify(Object.fromEntries(counts)));
  return {
    log({ phase }) {
      counts.set(phase, (counts.get(phase) ?? 0) + 1);
    },
    flush,
    close: flush,
  };
}
