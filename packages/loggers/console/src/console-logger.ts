import { styleText } from "node:util";
import { formatEntry, formatMetadata, type Logger, type Paint, shownPhases } from "@orgloop/sdk";
import type { ConsoleConfig } from "./config.ts";

/** One line an entry on standard error, so that standard output stays a command's own. */
export function consoleLogger(config: ConsoleConfig, stream: NodeJS.WriteStream): Logger {
  const paint: Paint = config.color
    ? (color, text) => styleText(color, text, { stream, validateStream: true })
    : (_, text) => text;
  const shown = shownPhases(config.level);
  // A reader that went away (EPIPE) must not end the process.
  const onError = () => undefined;
  stream.on("error", onError);
  return {
    log(entry) {
      if (!shown.has(entry.phase)) return;
      const lines = [formatEntry(entry, paint)];
      if (!config.compact && config.show_payload && entry.metadata !== undefined) {
        lines.push(formatMetadata(entry.metadata, paint));
      }
      stream.write(`${lines.join("\n")}\n`);
    },
    async close() {
      stream.off("error", onError);
    },
  };
}
