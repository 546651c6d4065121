/** Keys and positions inside a filter. */
export type FilterPath = readonly (string | number)[];

/** Something wrong with a filter. */
export interface FilterProblem {
  readonly path: FilterPath;
  readonly code: "invalid-path" | "unknown-operator" | "invalid-value" | "invalid-format";
  /** What should stand there; of an unknown operator the names that there are. */
  readonly expected: string;
  readonly found: unknown;
}

/** Reports what is wrong with an operand; `at` is the way to it from the operand. */
export interface ReportOperand {
  (expected: string, found: unknown, at?: FilterPath): void;
  /** Text of a wrong form: it may hold a `${…}` that is not resolved yet. */
  format(expected: string, found: string): void;
  /** A mapping that must hold one operator: reports, or goes on with the operator's name. */
  operator(
    value: Readonly<Record<string, unknown>>,
    names: readonly string[],
    check: (name: string) => void,
  ): void;
}
