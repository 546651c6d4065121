import { isWrittenNumber } from "./written-number.ts";

/** True for what JSON calls an object and YAML a mapping. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !isWrittenNumber(value)
  );
}
