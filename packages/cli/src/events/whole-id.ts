import { idBegins } from "@orgloop/sdk";
import type { CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { findEvent } from "../explain/find-event.ts";
import type { DataLocation } from "../process/data-directory.ts";
import type { LetterAccess } from "./dead-letter-access.ts";

/** Candidates that a refusal names. */
const MOST_NAMED = 20;

/** Characters, behind the prefix, that an id must at least have to stand for a longer one. */
const MIN_SHORT = 4;

/** Ids as we make them. Senders may have others, shorter or longer. */
const WHOLE = /^(?:evt_(?:[0-9a-f]{16}|[0-9a-f]{32})|dl_(?:unfit)?[0-9a-f]{32})$/;

/**
 * Of `candidates`, which begin with `given` (their prefix may be left out), the one; `given` itself
 * where there is none. Throws `AMBIGUOUS_ID` where there are several.
 */
export function wholeId(given: string, candidates: ReadonlySet<string>): string {
  if (candidates.has(given) || candidates.size === 0) return given;
  const [first = given, ...others] = candidates;
  if (others.length === 0) return first;
  const named = [...candidates].sort().slice(0, MOST_NAMED).join(", ");
  const more = candidates.size > MOST_NAMED ? ` and ${candidates.size - MOST_NAMED} more` : "";
  const message = `"${given}" is the beginning of several ids: ${named}${more}`;
  throw new CommandError("AMBIGUOUS_ID", message);
}

/**
 * The ids of events, whole, of what is kept of them; as they are where nothing is. Throws
 * `AMBIGUOUS_ID`.
 */
export async function wholeEventIds(
  context: CommandContext,
  located: DataLocation,
  ids: readonly string[],
): Promise<readonly string[]> {
  const whole = [];
  for (const id of ids) {
    const isShort = !WHOLE.test(id) && id.replace(/^evt_/, "").length >= MIN_SHORT;
    whole.push(isShort ? await keptId(context, located, id) : id);
  }
  return whole;
}

async function keptId(
  context: CommandContext,
  located: DataLocation,
  given: string,
): Promise<string> {
  try {
    return (await findEvent(context, located, given)).id;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "NO_EVENT_KEPT" || code === "NO_FILE") return given;
    throw error;
  }
}

/**
 * The ids of letters, whole: by the beginning of a letter's id, or of its event's where that has
 * one letter alone. As they are where there is no such letter. Throws `AMBIGUOUS_ID`.
 */
export async function wholeLetterIds(
  access: Pick<LetterAccess, "list">,
  ids: readonly string[],
): Promise<readonly string[]> {
  const short = ids.filter((id) => !WHOLE.test(id) || id.startsWith("evt_"));
  if (short.length === 0) return ids;
  const found = new Map(short.map((id) => [id, new Set<string>()]));
  for await (const { id, event_id } of access.list({})) {
    for (const [given, candidates] of found) {
      if (idBegins(id, given) || idBegins(event_id, given)) candidates.add(id);
    }
  }
  return ids.map((id) => wholeId(id, found.get(id) ?? new Set()));
}
