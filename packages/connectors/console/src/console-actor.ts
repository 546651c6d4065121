import type { Writable } from "node:stream";
import { type Actor, fillTemplate, parseTemplate } from "@orgloop/sdk";
import type { ConsoleActorConfig } from "./config.ts";

const SHORT_ESCAPES: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** An actor that prints one line an event. Control characters are shown as escapes: an event cannot steer the terminal. */
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

/** C0, C1 and what turns or breaks lines (Unicode's bidirectional controls and separators). */
function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu,
    (character) =>
      SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function write(output: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
