import { deadLetterEntry, letterEntry, type MaskSecrets, maskedLetter } from "@orgloop/engine";
import type { DeadLetter, DeadLetterStore, LogEntry } from "@orgloop/sdk";
import { durably } from "../data/durably.ts";
import type { Clock } from "../process/clock.ts";
import type { Activity } from "../telemetry/activity.ts";
import type { Alert } from "../telemetry/alerts.ts";

/**
 * Makes a dead letter durable: resolves true then, false where the process stops before. Until then
 * its route is not settled.
 */
export type WriteDeadLetter = (letter: DeadLetter) => Promise<boolean>;

interface DeadLetterWriterOptions {
  readonly deadLetters: DeadLetterStore;
  readonly clock: Clock;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly activity: Activity;
  readonly alert: Alert;
  /** Aborted when a drain gives up waiting. */
  readonly abandon: AbortSignal;
  readonly mask: MaskSecrets;
}

export function deadLetterWriter({
  deadLetters,
  clock,
  log,
  activity,
  alert,
  abandon,
  mask,
}: DeadLetterWriterOptions): WriteDeadLetter {
  const write = durably({ clock, log, stop: abandon });
  return async (given) => {
    const letter = maskedLetter(given, mask);
    const { route, actor, reason, last_error } = letter;
    if (abandon.aborted) return false;
    const put = () => deadLetters.put(letter);
    if ((await write("dead letter not written", put, letterEntry(letter))) === null) return false;
    log(deadLetterEntry(letter));
    activity.deadLettered(route, reason);
    // What had no room has an alert of its own.
    if (reason !== "backpressure") {
      alert("dead_letters", {
        ...(route !== null && { route }),
        ...(actor !== null && { target: actor }),
        error: `${reason}: ${last_error ?? "given up"}`,
      });
    }
    return true;
  };
}
