import { endOf } from "../telemetry/end-of.ts";

interface Closing {
  close?(): Promise<void>;
}

/**
 * A running part of a configuration, which another configuration may do without: it is closed when
 * it is no longer in use.
 */
export interface InUse<Part> {
  readonly part: Part;
  /** Keeps it open until `run` has ended. */
  use<Result>(run: (part: Part) => Promise<Result>): Promise<Result>;
  /** Nobody begins to use it any more: closes it when its last use has ended, and resolves then. */
  release(): Promise<void>;
  /**
   * Closes it, in use or not, within 5 s. What it throws counts for nothing: it is gone either way.
   * Fine to call twice.
   */
  close(): Promise<void>;
}

/** Holds `part`; it stands in `open` until it is closed. */
export function inUse<Part extends Closing>(part: Part, open: Set<InUse<unknown>>): InUse<Part> {
  const idle = Promise.withResolvers<void>();
  let uses = 0;
  let released = false;
  let closed: Promise<void> | null = null;

  async function close(): Promise<void> {
    await endOf(() => part.close?.());
    open.delete(self);
  }

  const self: InUse<Part> = {
    part,
    async use(run) {
      uses += 1;
      try {
        return await run(part);
      } finally {
        uses -= 1;
        if (released && uses === 0) idle.resolve();
      }
    },
    async release() {
      released = true;
      if (uses === 0) idle.resolve();
      await idle.promise;
      await self.close();
    },
    close() {
      closed ??= close();
      return closed;
    },
  };
  open.add(self);
  return self;
}
