import { randomBytes } from "node:crypto";
import { link, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { nodeFileSystem, replaceFile } from "@orgloop/files";
import { hasCode } from "@orgloop/sdk";
import { makeDirectory } from "./make-directory.ts";

/** The bearer token of `/control/*` in `$ORGLOOP_HOME/token`; null where none was made yet. */
export async function readToken(home: string): Promise<string | null> {
  try {
    const token = (await readFile(path.join(home, "token"), "utf8")).trim();
    return token === "" ? null : token;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}

/**
 * The same, made where there is none: 32 random bytes in hex, readable by the user alone. Two that
 * start at once get one.
 */
export async function ensureToken(home: string): Promise<string> {
  const present = await readToken(home);
  if (present !== null) return present;
  await makeDirectory(home, { mode: 0o700 });
  const file = path.join(home, "token");
  const draft = `${file}.${process.pid}.tmp`;
  const token = randomBytes(32).toString("hex");
  await replaceFile(draft, `${token}\n`);
  try {
    // link refuses where another process was first, and never shows a half-written token.
    await link(draft, file);
    await nodeFileSystem.syncDirectory(home);
    return token;
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
    const theirs = await readToken(home);
    if (theirs !== null) return theirs;
    // Empty: a release before this one, or somebody, left it so. It guards nothing, so it is
    // replaced.
    await rename(draft, file);
    return token;
  } finally {
    await rm(draft, { force: true });
  }
}
