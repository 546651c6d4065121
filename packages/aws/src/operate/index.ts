export { readQuotas, readSetSecrets, writeSecret } from "./account-checks.ts";
export { explainAwsError } from "./aws-errors.ts";
export { injectEvents } from "./inject-events.ts";
export type { LetterReplayAnswer, RefusedLetter } from "./letter-sender.ts";
export {
  type OpenAccount,
  type OpenStage,
  openStage,
  type StageOptions,
  withAccount,
  withStage,
} from "./open-stage.ts";
export { actorQueueCounts } from "./queue-counts.ts";
export { recordedEvents } from "./read-record.ts";
export { type HistoryReplayAnswer, replayHistory } from "./replay-record.ts";
export { type StageInboxes, stageInboxes } from "./stage-inboxes.ts";
export { type StageLetters, stageLetters } from "./stage-letters.ts";
export { type StageLogsOptions, stageLogs } from "./stage-logs.ts";
export { type StageStatus, stageStatus } from "./stage-status.ts";
export { stageTraces } from "./stage-traces.ts";
