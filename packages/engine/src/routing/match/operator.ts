import type { ReportOperand } from "./filter-problem.ts";
import type { Key } from "./keys.ts";

/** Decides over one leaf of an event; a number is its double. */
export type LeafTest = (leaf: unknown) => boolean;

/** All that is to be said about one operator. */
export interface Operator {
  /** What the operand may be, in words. */
  readonly takes: string;
  /** Reports everything that is wrong with the operand; of one that is sound, the rest is asked. */
  readonly check: (operand: unknown, report: ReportOperand) => void;
  readonly test: (operand: unknown) => LeafTest;
  /** What it lets through, in words: `text that begins with "pr-"`. */
  readonly describe: (operand: unknown) => string;
  /**
   * The keys that every leaf has that passes, by one of which the index finds it; none: nothing is
   * known of it. Null: no leaf can pass.
   */
  readonly keys: (operand: unknown) => readonly Key[] | null;
}
