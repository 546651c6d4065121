import type { MaskSecrets } from "@orgloop/engine";
import { type DefaultsSpec, type LogEntry, type Logger, shownPhases } from "@orgloop/sdk";
import { inFlight } from "../apply/in-flight.ts";
import { endOf } from "./end-of.ts";

export interface EventLogOptions {
  /** Get every entry, to the end: the log file. */
  readonly loggers: readonly Logger[];
  /** Gets what `level` lets through: the terminal. */
  readonly onEntry: ((entry: LogEntry) => void) | undefined;
  readonly level: DefaultsSpec["log_level"];
  readonly project: string;
  readonly workspace: string;
  readonly now: () => number;
  /** What an entry says went wrong is kept and shown without secrets. */
  readonly mask: MaskSecrets;
}

/**
 * Where all entries go through: completed once, then handed to everyone who keeps or shows them.
 */
export interface EventLog {
  log(entry: Omit<LogEntry, "timestamp">): void;
  /**
   * Goes on with these loggers besides those it began with, and that level; closes those of before.
   */
  change(loggers: readonly Logger[], level: DefaultsSpec["log_level"]): void;
  /** Resolves when what was logged can be read. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export function eventLog(options: EventLogOptions): EventLog {
  const { onEntry, project: module, workspace, now, mask } = options;
  let { loggers } = options;
  let shown = shownPhases(options.level);
  const closing = inFlight();
  let lastMs = Number.NaN;
  let lastIso = "";
  const timestamp = (): string => {
    const nowMs = now();
    if (nowMs !== lastMs) {
      lastMs = nowMs;
      lastIso = new Date(nowMs).toISOString();
    }
    return lastIso;
  };
  return {
    log(said) {
      const { error } = said;
      const entry = error === undefined ? said : { ...said, error: mask(error) };
      const complete: LogEntry = { timestamp: timestamp(), ...entry, workspace, module };
      for (const logger of loggers) {
        try {
          const said: unknown = logger.log(complete);
          if (said instanceof Promise) said.catch(() => undefined);
        } catch {
          // A logger that breaks its promise not to throw must not fail a delivery.
        }
      }
      if (onEntry !== undefined && shown.has(entry.phase)) onEntry(complete);
    },
    change(added, to) {
      const before = loggers;
      loggers = [...options.loggers, ...added];
      shown = shownPhases(to);
      void closing.track(closeAll(before.filter((logger) => !loggers.includes(logger))));
    },
    async flush() {
      await Promise.all(loggers.map((logger) => endOf(() => logger.flush?.())));
    },
    async close() {
      await Promise.all([closing.ended(), closeAll(loggers)]);
    },
  };
}

async function closeAll(loggers: readonly Logger[]): Promise<void> {
  await Promise.all(loggers.map((logger) => endOf(() => logger.flush?.())));
  await Promise.all(loggers.map((logger) => endOf(() => logger.close?.())));
}
