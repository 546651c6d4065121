/** One error or warning of the configuration, at the place in the file that the user wrote. */
export interface Problem {
  /** Relative to the project, with `/`. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** Inside the document, e.g. `routes[2].then.actor`; empty for the whole file. */
  readonly path: string;
  /** What was found, what was expected, the nearest valid name. */
  readonly message: string;
  /** Stable, e.g. `unknown-key`. */
  readonly code: string;
}
