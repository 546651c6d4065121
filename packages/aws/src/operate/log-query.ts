import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";

/** What is asked of log groups. */
export interface LogQuery {
  readonly groups: readonly string[];
  /** Ms since the epoch. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly mentions?: string;
}

/** A line of a log, by an id of its own. */
export interface LogLine {
  readonly id: string;
  readonly message: string;
}

export type ReadLogs = (
  client: CloudWatchLogsClient,
  query: LogQuery,
) => Promise<readonly LogLine[]>;
