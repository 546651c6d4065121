import { messageOf } from "@orgloop/sdk";

/** The message of anything thrown with its stack, where it has one, in one line. */
export function stackOf(error: unknown): string {
  const stack = error instanceof Error ? error.stack : undefined;
  return typeof stack === "string" ? stack.replaceAll(/\s*\n\s*/g, " ") : messageOf(error);
}
