import { Hono } from "hono";
import type { ProjectPorts } from "../process/project-ports.ts";
import { findEventTraces } from "../telemetry/event-traces.ts";

type Ports = Pick<ProjectPorts, "open" | "recorder">;

/**
 * `GET /control/events/ID`: what was kept of an event, `{ ids, traces }`; `ID` may be the beginning
 * of an id (`orgloop explain`).
 */
export function eventApi({ open, recorder }: Ports): Hono {
  const api = new Hono();
  api.get("/:id", async (c) => {
    const { dataDir, deadLetters, bus, journal } = open;
    await Promise.all([recorder.flush(), journal.flush()]);
    const found = await findEventTraces(c.req.param("id"), {
      logDir: dataDir.log,
      recordDir: dataDir.events,
      fileSystem: dataDir.disk.fileSystem,
      letters: deadLetters.list(),
      letter: (id) => deadLetters.get(id),
      unsettled: eachOf(await bus.unacked()),
    });
    return c.json(found);
  });
  return api;
}

async function* eachOf<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}
