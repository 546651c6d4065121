export type CheckStatus = "ok" | "degraded" | "error";

/** One finding of `doctor` (v1alpha1, section 9), with what was found. */
export interface Check {
  readonly category: string;
  readonly name: string;
  readonly status: CheckStatus;
  readonly message: string;
}
