import { stackOf } from "@orgloop/engine";
import type { FlowLog } from "./flow-log.ts";

/**
 * A rejection that a plug-in leaves unhandled ends nothing, as in a process: it is logged and
 * counted. Lambda's own listener would end the function, and with it the batch. An uncaught
 * exception still ends it.
 */
export function surviveRejections(flow: FlowLog): void {
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (reason) => {
    const error = `a rejection that nobody handled: ${stackOf(reason)}`;
    flow.log({ phase: "system.error", error });
    flow.count("unhandled");
  });
}
