import { OrgLoopError } from "@orgloop/sdk";

/** 0 done; 1 failed; 2 the configuration is invalid; 3 nothing runs (`status` only). */
export type ExitStatus = 0 | 1 | 2 | 3;

/**
 * Codes that say that a configuration is invalid: by its files and the schemas, or by what the
 * environment has not.
 */
const INVALID = new Set(["CONFIG_INVALID", "MISSING_VARIABLES"]);

/** 2 says that the configuration is invalid. */
export const exitStatusOf = (code: unknown): ExitStatus => (INVALID.has(String(code)) ? 2 : 1);

/** Ends a command with a message for the operator. Codes are upper case, e.g. `NOT_RUNNING`. */
export class CommandError extends OrgLoopError {
  readonly exitStatus: ExitStatus;

  constructor(code: string, message: string, options?: ErrorOptions & { exitStatus?: ExitStatus }) {
    super(code, message, options);
    this.exitStatus = options?.exitStatus ?? 1;
  }
}
