import { join } from "node:path";
import {
  CheckedLines,
  type FileSystem,
  groupCommit,
  type MadeFiles,
  nodeFileSystem,
} from "@orgloop/files";
import { type ClaimStore, messageOf } from "@orgloop/sdk";
import { type Claim, ClaimTable } from "./claim-table.ts";

export interface FileClaimsOptions {
  /** Made where missing; holds `claims.jsonl`. */
  readonly dir: string;
  readonly fileSystem?: FileSystem;
  /** Where it is kept that the file was made. */
  readonly made?: MadeFiles | undefined;
  /** Told where a claim could not be written (it holds in memory then), and of damage. */
  readonly warn?: (message: string) => void;
}

/**
 * Dedup claims, in memory and in a file of checksummed lines (`CheckedLines`), which is read at
 * open and rewritten when more than half of it has expired. A claim resolves when it is handed to
 * the operating system, without an fsync: the end of the process loses none, and one that a power
 * cut loses lets a duplicate through, which at-least-once allows; it never loses an event. For the
 * same reason a full disk is no error of a claim. Nobody else may write the file meanwhile
 * (`lockDirectory`).
 */
export async function fileClaims({
  dir,
  fileSystem = nodeFileSystem,
  made,
  warn = () => {},
}: FileClaimsOptions): Promise<ClaimStore & { close(): Promise<void> }> {
  const path = join(dir, "claims.jsonl");
  await fileSystem.makeDirectory(dir);
  let table = new ClaimTable();
  const file = await CheckedLines.open({
    path,
    fileSystem,
    made,
    begin() {
      table = new ClaimTable();
      return (body) => {
        const { key, ...claim } = parseClaimLine(body);
        table.load(key, claim);
      };
    },
    upgrade: upgradeClaim,
    loss: lostClaims,
    advice: "An event with one of those keys may pass once more; no event is lost",
    warn,
  });
  let failing = false;

  async function append(added: readonly string[]): Promise<void> {
    try {
      await file.append(added, { durable: false });
      failing = false;
    } catch (error) {
      if (!failing) warn(`${path}: claims are not written: ${messageOf(error)}`);
      failing = true;
    }
  }

  async function rewrite(): Promise<void> {
    if (!file.isStale(table.size)) return;
    const bodies = function* () {
      for (const [key, claim] of table.entries()) yield claimBody(key, claim);
    };
    await file.tidy(bodies());
  }

  const add = groupCommit<string>((task) => file.inTurn(task), append);
  return {
    async claim(key, eventId, windowMs, nowMs) {
      const { held, added, swept } = table.claim(key, eventId, windowMs, nowMs);
      if (added !== undefined) await add(claimBody(key, added));
      if (swept) void file.inTurn(rewrite);
      return held;
    },
    close: () => file.inTurn(() => file.close()),
  };
}

function claimBody(key: string, { eventId, expiresMs }: Claim): string {
  return JSON.stringify({ claim: [key, eventId, expiresMs] });
}

/** Throws where a body is no claim. */
export function parseClaimLine(body: Buffer): Claim & { readonly key: string } {
  const claim = claimOf(JSON.parse(body.toString()).claim);
  if (claim === null) throw new Error("a line of it is no claim");
  const [key, eventId, expiresMs] = claim;
  return { key, eventId, expiresMs };
}

function claimOf(value: unknown): readonly [string, string, number] | null {
  if (!Array.isArray(value)) return null;
  const [key, eventId, expiresMs] = value as unknown[];
  const whole =
    typeof key === "string" && typeof eventId === "string" && typeof expiresMs === "number";
  return whole ? [key, eventId, expiresMs] : null;
}

/** The body of a line as it was written before there were checksums. */
function upgradeClaim(line: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const claim = claimOf(value);
  return claim === null ? null : claimBody(claim[0], { eventId: claim[1], expiresMs: claim[2] });
}

/** What damaged bytes of the file held, for people. */
function lostClaims(bytes: Buffer): string {
  const keys = bytes.toString("utf8").matchAll(/"claim":\["((?:[^"\\]|\\.)*)"/g);
  return Array.from(keys, ([, key]) => `the claim of ${key}`).join(", ");
}
