import { setTimeout as wait } from "node:timers/promises";
import {
  type CloudWatchLogsClient,
  GetQueryResultsCommand,
  StartQueryCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { OrgLoopError } from "@orgloop/sdk";
import pLimit from "p-limit";
import type { LogLine, LogQuery, ReadLogs } from "./log-query.ts";

/** Of one query (AWS, StartQuery). */
const GROUPS = 50;
const ROWS = 10_000;
const AT_ONCE = 8;
const LOOK_MS = 500;

/**
 * Reads many groups with few queries of CloudWatch Logs Insights, which are charged by what they
 * look through.
 */
export const queryLogs: ReadLogs = async (client, { groups, ...query }) => {
  const parts = Array.from({ length: Math.ceil(groups.length / GROUPS) }, (_, at) =>
    groups.slice(at * GROUPS, (at + 1) * GROUPS),
  );
  const found = await pLimit(AT_ONCE).map(parts, (part) =>
    readPart(client, { ...query, groups: part }),
  );
  return found.flat();
};

/** A query tells of so many rows and no more: the next one begins where it ended. */
async function readPart(
  client: CloudWatchLogsClient,
  { groups, fromMs, untilMs, mentions }: LogQuery,
): Promise<readonly LogLine[]> {
  const found: LogLine[] = [];
  const endTime = Math.ceil(untilMs / 1_000);
  for (let startTime = Math.floor(fromMs / 1_000); startTime <= endTime; ) {
    const rows = await runQuery(client, {
      logGroupNames: [...groups],
      startTime,
      endTime,
      limit: ROWS,
      queryString: [
        "fields @timestamp, @message, @ptr",
        ...(mentions === undefined
          ? []
          : [`filter @message like /${mentions.replace(/[^\w]/g, "\\$&")}/`]),
        "sort @timestamp asc",
        `limit ${ROWS}`,
      ].join(" | "),
    });
    found.push(...rows);
    const last = rows.at(-1);
    if (rows.length < ROWS || last === undefined) break;
    startTime = Math.max(startTime + 1, Math.floor(last.atMs / 1_000));
  }
  return found;
}

async function runQuery(
  client: CloudWatchLogsClient,
  input: StartQueryCommand["input"],
): Promise<readonly (LogLine & { readonly atMs: number })[]> {
  const { queryId } = await client.send(new StartQueryCommand(input));
  for (;;) {
    const { status, results = [] } = await client.send(new GetQueryResultsCommand({ queryId }));
    if (status === "Complete") {
      return results.map((row) => {
        const value = (name: string) => row.find(({ field }) => field === name)?.value ?? "";
        // Insights writes times without their zone, which is UTC.
        const atMs = Date.parse(`${value("@timestamp").replace(" ", "T")}Z`);
        return { id: value("@ptr"), message: value("@message"), atMs };
      });
    }
    if (status !== "Scheduled" && status !== "Running") {
      throw new OrgLoopError("AWS_FAILED", `a query of CloudWatch Logs ended as ${status}`);
    }
    await wait(LOOK_MS);
  }
}
