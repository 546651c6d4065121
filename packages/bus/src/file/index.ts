export { openFileBus } from "./file-bus.ts";
export type { FileBus, FileBusOptions, FileBusStats } from "./file-bus-options.ts";
export { readUnsettled, type UnsettledEvent } from "./read-unsettled.ts";
export { repairWal, type WalRepair, type WalRepairOptions } from "./repair.ts";
export { type WalStats, walStats } from "./stats.ts";
export type { WalProblem } from "./survey.ts";
export { verifyWal, type WalReadOptions, type WalReport } from "./verify.ts";
