import type { ConnectionBounds } from "../http/connection-limit.ts";

/** What may be open at a time, so that no use of descriptors takes what another needs. */
export interface DescriptorShares {
  /** Of the server that takes webhooks. */
  readonly connections: ConnectionBounds;
  /** Of the server that is scraped. */
  readonly scrapes: ConnectionBounds;
  /** Attempts in flight, of all actors: a socket each, or the pipes of a command. */
  readonly attempts: number;
}

const MAX_CONNECTIONS = 4_096;
const MAX_ATTEMPTS = 2_000;
const RESERVE = 64;

/**
 * What a process may have open that may open `limit` files at all: seven sixteenths are the
 * servers', and an eighth are attempts: a command of an actor takes three or four. The rest is for
 * files, polls and scripts. Where 16,000 or more may be open, the bounds are 4,096 connections, 64
 * in reserve, and 2,000 attempts.
 */
export function descriptorShares(limit: number): DescriptorShares {
  const reserve = Math.max(1, Math.min(RESERVE, Math.floor(limit / 32)));
  const ofServers = (share: number, most: number): ConnectionBounds => ({
    most: Math.max(1, Math.min(most, Math.floor(limit * share) - reserve)),
    reserve,
  });
  return {
    connections: ofServers(3 / 8, MAX_CONNECTIONS),
    scrapes: ofServers(1 / 16, RESERVE),
    attempts: Math.max(1, Math.min(MAX_ATTEMPTS, Math.floor(limit / 8))),
  };
}

let own: DescriptorShares | undefined;

/** Of this process. Asked for once: Node raises its limit to the hard one before anything else. */
export function ownDescriptorShares(): DescriptorShares {
  own ??= descriptorShares(openFilesLimit());
  return own;
}

/** How many files this process may have open; Infinity where nobody says. */
function openFilesLimit(): number {
  // The report would ask for the names of all hosts that there are connections to.
  Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = process.report.getReport() as {
    readonly userLimits?: { readonly open_files?: { readonly soft: number | "unlimited" } };
  };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === "number" ? soft : Number.POSITIVE_INFINITY;
}
