import { randomBytes } from "node:crypto";
import { completeEvent, type InjectedDraft } from "@orgloop/engine";
import type { OpenStage } from "./open-stage.ts";
import { sendEvents } from "./send-events.ts";

/** Completes drafts and puts them on the stage's bus; resolves with their ids. */
export async function injectEvents(
  stage: OpenStage,
  drafts: readonly InjectedDraft[],
  { project, nowMs }: { readonly project: string; readonly nowMs: number },
): Promise<readonly string[]> {
  const randomHex = () => randomBytes(8).toString("hex");
  const events = drafts.map((draft) =>
    completeEvent(draft, { source: draft.source, module: project, nowMs, randomHex }),
  );
  await sendEvents(stage, events);
  return events.map(({ id }) => id);
}
