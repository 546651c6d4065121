import type { Writable } from "node:stream";
import type { Actor } from "@orgloop/sdk";
import type { ConsoleActorConfig } from "./config.ts";

const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;
const SHORT_ESCAPES: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** An actor that prints one line an event. Control characters are shown as escapes: an event cannot steer the terminal. */
export function consoleActor({ template }: ConsoleActorConfig, output: Writable): Actor {
  return {
    async deliver(event, { route, prompt, signal }) {
      signal.throwIfAborted();
      const values = { event, route, launch_prompt: prompt?.text.trim() };
      const line = template.replace(PLACEHOLDER, (_, path: string) =>
        textOf(valueAtPath(values, path.trim())),
      );
      await write(output, `${escapeControls(line)}\n`);
      return { status: "delivered" };
    },
  };
}

function textOf(value: unknown): string {
  if (typeof value === "object" && value !== null) return JSON.stringify(value);
  return String(value ?? "");
}

/** Own keys only: `__proto__` and `constructor` lead nowhere. */
function valueAtPath(root: unknown, path: string): unknown {
  let value = root;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
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
