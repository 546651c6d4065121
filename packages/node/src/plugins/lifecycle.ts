import { type LogEntry, messageOf } from "@orgloop/sdk";

/** In which state a process is, and the way to its end: one drain, however it is asked for. */
export interface Lifecycle {
  /** Aborted when intake stops. */
  readonly stop: AbortController;
  /** Aborted when what is in flight is given up. */
  readonly abandon: AbortController;
  readonly state: () => "running" | "draining" | "failed";
  /** Null where the process takes events; otherwise why not. */
  readonly notReady: () => string | null;
  /** Everything runs; `close` ends it, at once where it failed. */
  begin(close: (failed: boolean) => Promise<void>): void;
  /**
   * Something that cannot be gone on with: nothing more is taken, everything closes, `closed`
   * resolves with it.
   */
  readonly fail: (error: unknown) => void;
  /** Drains; resolves when all is closed. */
  readonly end: () => Promise<void>;
  readonly closed: Promise<Error | undefined>;
}

export function openLifecycle(log: (entry: Omit<LogEntry, "timestamp">) => void): Lifecycle {
  const stop = new AbortController();
  const abandon = new AbortController();
  const closed = Promise.withResolvers<Error | undefined>();
  const begun = Promise.withResolvers<(failed: boolean) => Promise<void>>();
  let started = false;
  let ending: Promise<void> | null = null;
  let fatal: Error | undefined;

  async function close(): Promise<void> {
    const run = await begun.promise;
    try {
      await run(fatal !== undefined);
    } catch (error) {
      fatal ??= error instanceof Error ? error : new Error(messageOf(error));
    }
    closed.resolve(fatal);
  }

  function end(): Promise<void> {
    stop.abort();
    ending ??= close();
    return ending;
  }

  return {
    stop,
    abandon,
    state: () => (fatal !== undefined ? "failed" : stop.signal.aborted ? "draining" : "running"),
    notReady() {
      if (fatal !== undefined) return fatal.message;
      if (stop.signal.aborted) return "the process is stopping";
      return started ? null : "the process is starting";
    },
    begin(run) {
      started = true;
      begun.resolve(run);
    },
    fail(error) {
      if (fatal !== undefined) return;
      fatal = error instanceof Error ? error : new Error(messageOf(error));
      log({ phase: "system.error", error: messageOf(error) });
      abandon.abort();
      void end();
    },
    end,
    closed: closed.promise,
  };
}
