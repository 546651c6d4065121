import type { MaskSecrets } from "@orgloop/engine";
import { messageOf } from "@orgloop/sdk";

/**
 * Runs an invocation. Lambda prints what it throws, with its stack, its cause and whatever else it
 * holds: so only that goes out which can be written without secrets.
 */
export async function runMasked<Result>(
  {
    known,
    flow,
  }: {
    readonly known: { readonly mask: MaskSecrets };
    readonly flow: { flush(): void };
  },
  invocation: () => Promise<Result>,
): Promise<Result> {
  try {
    return await invocation();
  } catch (error) {
    throw printable(error, known.mask);
  } finally {
    flow.flush();
  }
}

/**
 * An error that holds a masked message and stack, the name and the code of what was thrown, and no
 * more.
 */
export function printable(thrown: unknown, mask: MaskSecrets): Error {
  const error = new Error(mask(messageOf(thrown)));
  const { name, stack, code } = Object(thrown) as Partial<NodeJS.ErrnoException>;
  if (typeof name === "string") error.name = mask(name);
  if (typeof stack === "string") error.stack = mask(stack);
  return typeof code === "string" ? Object.assign(error, { code: mask(code) }) : error;
}

/**
 * Lambda's own listeners of uncaught exceptions, which print them and end the function, get them
 * without secrets.
 */
export function maskUncaught(mask: MaskSecrets): void {
  const event = "uncaughtException";
  const listeners = process.listeners(event);
  if (listeners.length === 0) return;
  process.removeAllListeners(event);
  for (const listener of listeners) {
    process.on(event, (error, origin) => listener.call(process, printable(error, mask), origin));
  }
}
