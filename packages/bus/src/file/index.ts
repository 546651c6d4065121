export { openFileBus } from "./file-bus.ts";
export type { FileBus, FileBusOptions, FileBusStats } from "./file-bus-options.ts";
export { readUnsettled, type UnsettledEvent } from "./read/read-unsettled.ts";
export { type WalStats, walStats } from "./read/stats.ts";
export { repairWal, type WalRepair, type WalRepairOptions } from "./repair/repair.ts";
export type { WalProblem } from "./repair/survey.ts";
export { verifyWal, type WalReadOptions, type WalReport } from "./repair/verify.ts";
