import { setTimeout as wait } from "node:timers/promises";
import type { InjectedEvent } from "@orgloop/sdk";
import { onStage, stageOf } from "../aws/stage.ts";
import type { CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import type { DataLocation } from "../process/data-directory.ts";
import { ControlError, callProcess, findProcess } from "../process/running-process.ts";

/** Puts events on the bus; resolves with their ids when they are durable. */
export type EventSink = (batch: readonly InjectedEvent[]) => Promise<readonly string[]>;

const PATIENCE_MS = 60_000;
const AGAIN_MS = 500;

/**
 * The bus of the workspace: through the running process, or of the stage on AWS. Throws
 * `NOT_RUNNING`.
 */
export async function withEventSink<Result>(
  context: CommandContext,
  { project, dataDir }: DataLocation,
  use: (sink: EventSink) => Promise<Result>,
): Promise<Result> {
  const options = stageOf(context, project);
  if (options !== null) {
    const { parseInjected } = await import("@orgloop/node");
    return onStage(options, (stage, { injectEvents }) =>
      use((batch) => {
        const drafts = parseInjected(JSON.stringify(batch));
        const module = project.topology?.project ?? "";
        return injectEvents(stage, drafts, { project: module, nowMs: Date.now() });
      }),
    );
  }
  const { home } = context;
  const found = await findProcess(home, dataDir);
  if (!found?.responsive) {
    const message = `nothing runs for ${project.projectDir}: \`orgloop start\` it first; nothing was sent`;
    throw new CommandError("NOT_RUNNING", message);
  }
  return use(async (json) => {
    const answer = await whenThereIsRoom(() =>
      callProcess<{ event_ids: string[] }>(home, found, "/control/inject", { json }),
    );
    return answer.event_ids;
  });
}

/** The process refuses with 503 while too much is undelivered: that passes. */
async function whenThereIsRoom<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  const untilMs = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const full = error instanceof ControlError && error.status === 503;
      if (!full || performance.now() > untilMs) throw error;
      await wait(AGAIN_MS);
    }
  }
}
