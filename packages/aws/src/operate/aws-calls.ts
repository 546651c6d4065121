import pLimit, { type LimitFunction } from "p-limit";

/** Calls of AWS at a time: far below what it throttles. */
const AT_ONCE = 24;

/** Runs calls of AWS, some at a time. */
export const awsCalls = (): LimitFunction => pLimit(AT_ONCE);
