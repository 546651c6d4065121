import { messageOf } from "@orgloop/sdk";
import type { MaskSecrets } from "./secret-mask.ts";

/**
 * What was thrown, without the secrets in its message: the same in all else, since its kind decides
 * what follows.
 */
export function maskedError(error: unknown, mask: MaskSecrets): unknown {
  const said = messageOf(error);
  const message = mask(said);
  if (message === said) return error;
  // What it was made of, its cause and its stack, would hold them still.
  const hidden = {
    message: { value: message },
    stack: { value: message },
    cause: { value: undefined },
  };
  return error instanceof Error ? Object.create(error, hidden) : new Error(message);
}
