import { nodeFileSystem } from "@orgloop/files";
import { NO_ROUTES, type OrgLoopEvent, parseJson } from "@orgloop/sdk";
import type { EventLine } from "../format/pending-lines.ts";
import type { WalReadOptions } from "../repair/verify.ts";
import { readLines } from "./read-lines.ts";
import { surveyUnsettled } from "./survey-unsettled.ts";

export interface UnsettledEvent {
  readonly event: OrgLoopEvent;
  /** Names of the routes that are done with it. */
  readonly settled: ReadonlySet<string>;
}

/**
 * The unsettled events of the log in `dir`, in the order of publishing. Changes nothing; for a log
 * that no process writes to. Throws `WAL_CORRUPT`.
 */
export async function* readUnsettled(
  dir: string,
  { fileSystem = nodeFileSystem }: WalReadOptions = {},
): AsyncGenerator<UnsettledEvent> {
  const { unsettled } = await surveyUnsettled(dir, fileSystem);
  const places = unsettled.flatMap(({ event, settles }) =>
    settles.map((position) => ({ seq: event.seq, position })),
  );
  places.sort((a, b) => a.position.seq - b.position.seq);
  const routes = new Map<number, Set<string>>();
  let next = 0;
  const positions = places.map(({ position }) => position);
  for await (const bytes of readLines(dir, positions, fileSystem)) {
    const { route } = JSON.parse(bytes.toString("utf8")) as { route: string };
    const { seq = 0 } = places[next] ?? {};
    routes.set(seq, (routes.get(seq) ?? new Set()).add(route));
    next += 1;
  }
  let at = 0;
  const events = unsettled.map(({ event }) => event);
  for await (const bytes of readLines(dir, events, fileSystem)) {
    const { event } = parseJson(bytes.toString("utf8")) as EventLine;
    yield { event, settled: routes.get(events[at]?.seq ?? 0) ?? NO_ROUTES };
    at += 1;
  }
}
