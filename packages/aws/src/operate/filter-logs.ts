import { paginateFilterLogEvents } from "@aws-sdk/client-cloudwatch-logs";
import pLimit from "p-limit";
import { isMissing } from "./aws-errors.ts";
import type { LogLine, ReadLogs } from "./log-query.ts";

/** Of the quota of 5 calls a second that the account has (AWS, CloudWatch Logs quotas). */
const AT_ONCE = 3;

/** Reads the groups one by one: at once, and free of charge. */
export const filterLogs: ReadLogs = async (client, { groups, fromMs, mentions }) => {
  const read = async (logGroupName: string): Promise<readonly LogLine[]> => {
    const found: LogLine[] = [];
    const query = {
      logGroupName,
      startTime: fromMs,
      ...(mentions !== undefined && { filterPattern: `"${mentions.replaceAll('"', "")}"` }),
    };
    try {
      for await (const { events = [] } of paginateFilterLogEvents({ client }, query)) {
        for (const { eventId, logStreamName, timestamp, message = "" } of events) {
          // Emulators give no ids to what functions have logged.
          const id = eventId ?? `${logStreamName} ${timestamp} ${message}`;
          found.push({ id, message });
        }
      }
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    return found;
  };
  return (await pLimit(AT_ONCE).map(groups, read)).flat();
};
