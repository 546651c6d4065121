import { changeInbox, EMPTY_INBOX, type InboxChange } from "@orgloop/engine";
import type { InboxSession, InboxState } from "@orgloop/sdk";

/**
 * What each session's actor knows of its inbox; empty inboxes that nobody is being told of are
 * forgotten.
 */
export interface InboxSessions {
  /** True where the actor is to be told now. */
  change(sessionKey: string, change: InboxChange): boolean;
  state(sessionKey: string): InboxState;
  /** As the store has them at the start. */
  load(stored: readonly InboxSession[]): void;
  /** Those in which something waits, or of which somebody is being told. */
  readonly states: ReadonlyMap<string, InboxState>;
  /** Those in which something waits. */
  waiting(): readonly { readonly session_key: string; readonly pending: number }[];
}

export function inboxSessions(): InboxSessions {
  const states = new Map<string, InboxState>();
  const state = (key: string): InboxState => states.get(key) ?? EMPTY_INBOX;
  return {
    state,
    states,
    waiting: () =>
      Array.from(states, ([session_key, { pending }]) => ({ session_key, pending })).filter(
        ({ pending }) => pending > 0,
      ),
    load(stored) {
      for (const { session_key, pending, notified } of stored) {
        states.set(session_key, { pending, notice: notified ? "sent" : "none" });
      }
    },
    change(key, change) {
      const step = changeInbox(state(key), change);
      const { pending, notice } = step.state;
      if (pending === 0 && notice === "none") states.delete(key);
      else states.set(key, step.state);
      return step.notify;
    },
  };
}
