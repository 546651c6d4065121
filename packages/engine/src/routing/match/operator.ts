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
   * The keys of which a leaf that passes has at least one, by which the index finds it; null: any
   * leaf may pass, or no key says which. No keys: none can.
   */
  readonly keys: (operand: unknown) => readonly Key[] | null;
}
