import { illListsOf, type Poll } from "@orgloop/engine";
import { type IllList, isPartialPoll, type LogEntry, messageOf, type Source } from "@orgloop/sdk";
import type { Activity } from "./activity.ts";

interface PolledLists {
  readonly id: string;
  readonly source: Pick<Source, "illLists">;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly activity: Activity;
}

/**
 * Takes note of the lists that a source could not read. Where it read others, the failure is logged
 * and counted, and the poll is done: neither the circuit nor the next poll's time is any of its
 * business.
 */
export function noteLists(
  { id, source, log, activity }: PolledLists,
  state: { readonly checkpoint: string | null; illLists: readonly IllList[] },
  result: Poll["result"],
): Poll["result"] {
  state.illLists = illListsOf(source, state.checkpoint);
  if (result.kind !== "failed" || !isPartialPoll(result.error)) return result;
  const metadata = { by: result.by, partial: true };
  log({ phase: "source.error", source: id, error: messageOf(result.error), metadata });
  activity.sourceFailed(id);
  return { kind: "done" };
}
