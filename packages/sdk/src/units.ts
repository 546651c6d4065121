import { OrgLoopError } from "./errors.ts";

const DURATION_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_BYTES = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const;
const RATE_MS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** The forms, for schemas and messages (v1alpha1, section 1; `docs/configuration.md`, Routes). */
export const DURATION_PATTERN = /^(\d+)(ms|s|m|h|d)$/;
export const SIZE_PATTERN = /^(\d+)\s*(b|kb|mb|gb)$/i;
export const RATE_PATTERN = /^(\d+)\/(s|m|h)$/;

/** `30s` → 30000. Throws `INVALID_DURATION`. */
export function parseDuration(text: string): number {
  const [, count, unit] = DURATION_PATTERN.exec(text) ?? [];
  if (count === undefined) {
    throw new OrgLoopError(
      "INVALID_DURATION",
      `"${text}" is not a duration: expected a whole number and ms, s, m, h or d, e.g. 30s`,
    );
  }
  return Number(count) * DURATION_MS[unit as keyof typeof DURATION_MS];
}

/** `64mb` → 67108864 (units of 1024). Throws `INVALID_SIZE`. */
export function parseSize(text: string): number {
  const [, count, unit] = SIZE_PATTERN.exec(text) ?? [];
  if (count === undefined || unit === undefined) {
    throw new OrgLoopError(
      "INVALID_SIZE",
      `"${text}" is not a size: expected a whole number and B, KB, MB or GB, e.g. 64mb`,
    );
  }
  return Number(count) * SIZE_BYTES[unit.toLowerCase() as keyof typeof SIZE_BYTES];
}

/** `100/s` → 100 in 1000 ms. Throws `INVALID_RATE`. */
export function parseRate(text: string): { readonly count: number; readonly perMs: number } {
  const [, count, unit] = RATE_PATTERN.exec(text) ?? [];
  if (count === undefined || Number(count) === 0) {
    throw new OrgLoopError(
      "INVALID_RATE",
      `"${text}" is not a rate: expected a whole number above 0 and /s, /m or /h, e.g. 100/s`,
    );
  }
  return { count: Number(count), perMs: RATE_MS[unit as keyof typeof RATE_MS] };
}

/** 90000 → `90s`: the largest unit that divides it. */
export function formatDuration(ms: number): string {
  for (const unit of ["d", "h", "m", "s"] as const) {
    if (ms > 0 && ms % DURATION_MS[unit] === 0) return `${ms / DURATION_MS[unit]}${unit}`;
  }
  return `${ms}ms`;
}
