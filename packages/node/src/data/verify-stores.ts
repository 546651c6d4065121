import { join } from "node:path";
import { nodeFileSystem, readWhole, verifyLines } from "@orgloop/files";
import { hasCode, messageOf } from "@orgloop/sdk";
import {
  parseCheckpoint,
  parseClaimLine,
  parseInboxLine,
  parseLetterLine,
  parseRepeatsLine,
  parseRouteStateLine,
  readAppliedState,
} from "@orgloop/stores";
import { parseStartLine } from "../delivery/kept-starts.ts";
import { listedFiles } from "./data-format.ts";
import { goneLog, isEmpty } from "./open-bus.ts";

/** What a look at the stores of a data directory has found; nothing is locked or changed. */
export interface StoresVerdict {
  readonly lines: number;
  /** What is damaged now. */
  readonly problems: readonly string[];
  /** A start would refuse one of these, rather than go on without what is damaged. */
  readonly refused: boolean;
  /** Files with the bytes that starts have found damaged and kept. */
  readonly kept: readonly string[];
}

const LINES = {
  "attempt-starts.jsonl": parseStartLine,
  "claims/claims.jsonl": parseClaimLine,
  "dead-letters/dead-letters.jsonl": parseLetterLine,
  "inbox/inbox.jsonl": parseInboxLine,
  "repeats/repeats.jsonl": parseRepeatsLine,
  "route-state.jsonl": parseRouteStateLine,
};
const FOLDERS = ["", "claims", "dead-letters", "inbox", "repeats"];

export async function verifyStores(dataDir: string): Promise<StoresVerdict> {
  let lines = 0;
  const problems: string[] = [];
  let refused = false;
  const fileSystem = nodeFileSystem;
  const made = await listedFiles(dataDir, fileSystem).catch((error: unknown) => {
    problems.push(messageOf(error));
    refused = true;
    return { has: () => false };
  });
  const wal = join(dataDir, "wal");
  if (made.has(wal) && (await isEmpty(wal, fileSystem))) problems.push(goneLog(wal));
  for (const [name, parse] of Object.entries(LINES)) {
    const verdict = await verifyLines(join(dataDir, name), { parse, made, fileSystem });
    lines += verdict.lines;
    refused ||= verdict.refused;
    problems.push(...verdict.problems);
  }
  const checkpoints = join(dataDir, "checkpoints");
  for (const name of (await names(checkpoints)).filter((name) => name.endsWith(".json"))) {
    const file = join(checkpoints, name);
    await readWhole(file, nodeFileSystem)
      .then(parseCheckpoint)
      .catch((error) => problems.push(`${file}: ${messageOf(error)}`));
  }
  await readAppliedState(dataDir).catch((error) => {
    problems.push(messageOf(error));
    refused = true;
  });
  const kept: string[] = [];
  for (const folder of FOLDERS) {
    const found = await names(join(dataDir, folder));
    kept.push(
      ...found
        .filter((name) => name.includes(".damaged-"))
        .map((name) => join(dataDir, folder, name)),
    );
  }
  return { lines, problems, refused, kept };
}

async function names(dir: string): Promise<readonly string[]> {
  try {
    return await nodeFileSystem.list(dir);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}
