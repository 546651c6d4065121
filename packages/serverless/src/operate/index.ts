export { explainAwsError } from "./aws-errors.ts";
export { injectEvents } from "./inject-events.ts";
export type { LetterReplayAnswer, RefusedLetter } from "./letter-sender.ts";
export { type OpenStage, type StageOptions, withStage } from "./open-stage.ts";
export { actorQueueCounts } from "./queue-counts.ts";
export { type HistoryReplayAnswer, replayHistory } from "./replay-history.ts";
export { type StageLetters, stageLetters } from "./stage-letters.ts";
export { type StageLogsOptions, stageLogs } from "./stage-logs.ts";
export { type StageStatus, stageStatus } from "./stage-status.ts";
