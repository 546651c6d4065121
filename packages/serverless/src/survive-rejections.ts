import { messageOf } from "@orgloop/sdk";
import type { FlowLog } from "./flow-log.ts";

/**
 * A rejection that a plug-in leaves unhandled ends nothing, as in a process: it is logged and counted. Lambda's own listener would end the
 * function, and with it the batch. An uncaught exception still ends it.
 */
export function surviveRejections(flow: FlowLog): void {
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (reason) => {
    const stack = reason instanceof Error ? reason.stack : undefined;
    const metadata = { unhandled: true, ...(stack !== undefined && { stack }) };
    const error = `a rejection that nobody handled: ${messageOf(reason)}`;
    flow.log({ phase: "system.error", error, metadata });
    flow.count("unhandled");
  });
}
