import type { Writable } from "node:stream";
import { type Actor, escapeControls, fillTemplate, parseTemplate } from "@orgloop/sdk";
import type { ConsoleActorConfig } from "./config.ts";

/**
 * An actor that prints one line an event. Control characters are shown as escapes: an event cannot
 * steer the terminal.
 */
export function consoleActor({ template }: ConsoleActorConfig, output: Writable): Actor {
  const parsed = parseTemplate(template);
  return {
    async deliver(event, { prompt, ...context }) {
      context.signal.throwIfAborted();
      // A file ends with a line break, which the line is not to show.
      const trimmed = prompt && { ...prompt, text: prompt.text.trim() };
      const line = fillTemplate(parsed, { ...context, event, prompt: trimmed });
      await write(output, `${escapeControls(line)}\n`);
      return { status: "delivered" };
    },
  };
}

function write(output: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
