import { messageOf } from "@orgloop/sdk";

/** Whether the bus takes what is written to it: a full disk comes and goes. */
export interface BusWrites {
  /** Hands `write` on, and remembers how it ends. */
  note(write: Promise<void>): Promise<void>;
  /** Why the last write was refused; null where none was, or so long ago that whoever asks may let another be tried. */
  refusal(): string | null;
}

/** Where nothing waits to be written, only a new event shows that the disk has room again. */
const TRY_AGAIN_MS = 30_000;

/** `waiting`: why the disk does not take what waits for it and is tried again by the bus itself; null where nothing waits. */
export function busWrites(now: () => number, waiting: () => Error | null = () => null): BusWrites {
  let refused: { readonly atMs: number; readonly reason: string } | null = null;
  return {
    async note(write) {
      try {
        await write;
        refused = null;
      } catch (error) {
        refused = { atMs: now(), reason: messageOf(error) };
        throw error;
      }
    },
    refusal() {
      const error = waiting();
      if (error !== null) return `the bus takes no events: ${messageOf(error)}`;
      if (refused === null || now() - refused.atMs >= TRY_AGAIN_MS) return null;
      return `the bus takes no events: ${refused.reason}`;
    },
  };
}
