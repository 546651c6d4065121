import { join } from "node:path";
import {
  encodeCheckedJson,
  type FileSystem,
  nodeFileSystem,
  parseCheckedJson,
  readWhole,
  replaceFile,
} from "@orgloop/files";
import { hasCode, messageOf, OrgLoopError, type Topology } from "@orgloop/sdk";

/** What was last applied in a workspace (`docs/commands.md`, Applied state). */
export interface AppliedState {
  readonly format_version: "1.0";
  /** Counts the applies that changed something; the first is 1. */
  readonly serial: number;
  /** `topologyHash` of `topology`. */
  readonly hash: string;
  /** ISO 8601, UTC. */
  readonly applied_at: string;
  /** References unresolved, and secrets that are written out sealed: it holds none. */
  readonly topology: Topology;
}

/**
 * `state.json` of a data directory; null where nothing was applied there. Throws `STATE_UNREADABLE`
 * where the file is there and cannot be understood: read as null it would make everything look new,
 * and what was removed would keep its checkpoints.
 */
export async function readAppliedState(
  dataDir: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<AppliedState | null> {
  const file = stateFile(dataDir);
  try {
    return parseState(await readWhole(file, fileSystem));
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return null;
    throw new OrgLoopError(
      "STATE_UNREADABLE",
      `the applied state in ${file} cannot be read (${messageOf(cause)}): restore the file, or delete it to let the next start or apply write it anew`,
      { cause },
    );
  }
}

/**
 * Replaces `state.json` atomically and durably, readable by its owner only. The data directory must
 * exist.
 */
export async function writeAppliedState(
  dataDir: string,
  state: AppliedState,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  await replaceFile(stateFile(dataDir), encodeCheckedJson(state), fileSystem);
}

const stateFile = (dataDir: string): string => join(dataDir, "state.json");

const LISTS = ["sources", "actors", "routes", "transforms", "loggers"] as const;

function parseState(text: string): AppliedState {
  const state = parseCheckedJson(text);
  const { format_version, serial, hash, applied_at, topology } = state;
  if (format_version !== "1.0") {
    const found = JSON.stringify(format_version) ?? "none";
    throw new OrgLoopError("INVALID_STATE", `format_version: found ${found}, expected "1.0"`);
  }
  const known =
    Number.isSafeInteger(serial) &&
    Number(serial) > 0 &&
    typeof hash === "string" &&
    typeof applied_at === "string" &&
    LISTS.every((list) => Array.isArray(Object(topology)[list]));
  if (!known) {
    throw new OrgLoopError("INVALID_STATE", "expected serial, hash, applied_at and a topology");
  }
  return state as unknown as AppliedState;
}
