import { isShown } from "@orgloop/core";
import type { DefaultsSpec, LogEntry, Logger } from "@orgloop/sdk";

export interface EventLogOptions {
  /** Get every entry: the log file and the configured loggers. */
  readonly loggers: readonly Logger[];
  /** Gets what `level` lets through: the terminal. */
  readonly onEntry: ((entry: LogEntry) => void) | undefined;
  readonly level: DefaultsSpec["log_level"];
  readonly project: string;
  readonly workspace: string;
  readonly now: () => number;
}

/** Where all entries go through: completed once, then handed to everyone who keeps or shows them. */
export interface EventLog {
  log(entry: Omit<LogEntry, "timestamp">): void;
  /** Adds a logger that was opened later. */
  add(logger: Logger): void;
  close(): Promise<void>;
}

export function eventLog(options: EventLogOptions): EventLog {
  const { onEntry, level, project: module, workspace, now } = options;
  const loggers = [...options.loggers];
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
    log(entry) {
      const complete: LogEntry = { timestamp: timestamp(), ...entry, workspace, module };
      for (const logger of loggers) {
        try {
          logger.log(complete);
        } catch {
          // A logger that breaks its promise not to throw must not fail a delivery.
        }
      }
      if (onEntry !== undefined && isShown(entry.phase, level)) onEntry(complete);
    },
    add(logger) {
      loggers.push(logger);
    },
    async close() {
      await Promise.allSettled(loggers.map((logger) => logger.flush?.()));
      await Promise.allSettled(loggers.map((logger) => logger.close?.()));
    },
  };
}
