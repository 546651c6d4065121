import { burialEntry, letterEntry } from "@orgloop/core";
import { type DeadLetter, type DeadLetterStore, type LogEntry, messageOf } from "@orgloop/sdk";
import type { Activity } from "./activity.ts";
import type { Alert } from "./alerts.ts";
import { type Clock, waitUntil } from "./clock.ts";

/** Makes a dead letter durable: resolves true then, false where the process stops before. Until then its route is not settled. */
export type Bury = (letter: DeadLetter) => Promise<boolean>;

export interface BurialOptions {
  readonly deadLetters: DeadLetterStore;
  readonly clock: Clock;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly activity: Activity;
  readonly alert: Alert;
  /** Aborted when a drain gives up waiting. */
  readonly abandon: AbortSignal;
}

/** How soon a letter that could not be written is tried again. */
const RETRY_MS = 5_000;

export function burial({ deadLetters, clock, log, activity, alert, abandon }: BurialOptions): Bury {
  return async (letter) => {
    const { route, actor, reason, last_error } = letter;
    for (;;) {
      if (abandon.aborted) return false;
      try {
        await deadLetters.put(letter);
        break;
      } catch (error) {
        const message = `dead letter not written, will be tried again: ${messageOf(error)}`;
        log({ ...letterEntry(letter), phase: "system.error", error: message });
        await waitUntil(clock, clock.now() + RETRY_MS, abandon);
      }
    }
    log(burialEntry(letter));
    activity.buried(route, reason);
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
