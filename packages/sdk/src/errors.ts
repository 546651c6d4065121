/**
 * Every error of ours has a `code`, says what happened, where, and what to do, and keeps its
 * `cause`. Guard by {@link hasCode}, never by `instanceof`: a connector may carry another copy of
 * this package.
 */
export class OrgLoopError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/**
 * The actor refuses this event for good: dead letter, no retry, nothing counted towards the
 * breaker.
 *
 * @example
 * if (answer.status === 422) throw new PermanentError("the board has no such thread");
 */
export class PermanentError extends OrgLoopError {
  /** True where the actor is gone for good (HTTP 410): a warning names it. */
  readonly gone: boolean;

  constructor(message: string, options?: ErrorOptions & { gone?: boolean }) {
    super("PERMANENT", message, options);
    this.gone = options?.gone ?? false;
  }
}

/**
 * Try again, but not before `retryAfterMs` from now (HTTP 429 or 503 with Retry-After).
 *
 * @example
 * throw new RetryAfterError("the board answered 429", 30_000);
 */
export class RetryAfterError extends OrgLoopError {
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, options?: ErrorOptions) {
    super("RETRY_AFTER", message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Some of what a source polls could not be read, the rest was: the source is well enough to go on
 * at its interval. `code` is the connector's own; it keeps count of what is ill ({@link
 * Source.illLists}).
 */
export class PartialPollError extends OrgLoopError {
  readonly partial = true;
}

/** True for {@link PartialPollError}, from whichever copy of this package. */
export function isPartialPoll(error: unknown): error is PartialPollError {
  return error instanceof Error && "partial" in error && error.partial === true;
}

/**
 * A webhook request is refused with `status` (400 malformed, 401 bad signature, 404, 405, 413, 415
 * an unknown encoding).
 *
 * @example
 * throw new RefusedError(401, "the signature does not fit");
 */
export class RefusedError extends OrgLoopError {
  readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 415;
  /**
   * A code of what is wrong, which the sender is told beside the message, e.g.
   * `NUMBER_OUT_OF_RANGE`.
   */
  readonly reason: string | undefined;

  constructor(
    status: RefusedError["status"],
    message: string,
    options?: ErrorOptions & { reason?: string },
  ) {
    super("REFUSED", message, options);
    this.status = status;
    this.reason = options?.reason;
  }
}

/** True where `error` carries `code`: ours, Node's (`ENOSPC`) or a library's. */
export function hasCode<C extends string>(error: unknown, code: C): error is Error & { code: C } {
  return error instanceof Error && "code" in error && error.code === code;
}

/** True for {@link PermanentError}, from whichever copy of this package. */
export function isPermanent(error: unknown): error is PermanentError {
  return hasCode(error, "PERMANENT");
}

/** True for {@link RetryAfterError}, from whichever copy of this package. */
export function isRetryAfter(error: unknown): error is RetryAfterError {
  return hasCode(error, "RETRY_AFTER");
}

/** True for {@link RefusedError}, from whichever copy of this package. */
export function isRefused(error: unknown): error is RefusedError {
  return hasCode(error, "REFUSED");
}

/**
 * The message of anything thrown; of a text that could not be parsed in one line, since the parser
 * quotes it as it stands.
 */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return textOf(error);
  const message = ofFile(error) ?? textOf(error.message);
  return error instanceof SyntaxError ? message.replace(/[\s\p{Cc}]+/gu, " ") : message;
}

const FORBIDDEN = /^(?:EACCES|EPERM): [^,]+, (\w+)(?: '([\s\S]*)')?$/;

/** What Node says of a file that may not be touched, with what to do. */
function ofFile(error: Error): string | null {
  const [, call, file] = FORBIDDEN.exec(error.message) ?? [];
  if (call === undefined || file === undefined || !("code" in error)) return null;
  return `${file} may not be ${DONE[call] ?? "changed"} (${error.code}): its owner or mode forbids it to the user that runs this`;
}

const DONE: Readonly<Record<string, string>> = {
  access: "used",
  lstat: "read",
  mkdir: "made",
  open: "opened",
  read: "read",
  realpath: "read",
  scandir: "read",
  spawn: "run",
  stat: "read",
};

/** Of what has no text of its own, what it is. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
