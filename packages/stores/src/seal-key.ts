import { createHmac, randomBytes } from "node:crypto";
import { join } from "node:path";
import { type FileSystem, nodeFileSystem, readWhole, replaceFile } from "@orgloop/files";
import { hasCode, OrgLoopError } from "@orgloop/sdk";

/**
 * What a secret is known by in the files of a data directory: HMAC-SHA256, in hex, under the
 * directory's own key.
 */
export type SealSecret = (secret: string) => string;

const keyFile = (dataDir: string): string => join(dataDir, "secret.key");

/**
 * Null where the data directory has no key: then nothing in it is sealed. Throws
 * `SEAL_KEY_UNREADABLE`.
 */
export async function readSeal(
  dataDir: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<SealSecret | null> {
  const file = keyFile(dataDir);
  let text: string;
  try {
    text = (await readWhole(file, fileSystem)).trim();
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new OrgLoopError(
      "SEAL_KEY_UNREADABLE",
      `${file} is damaged: delete it; what is written out as a secret shows as a change once`,
    );
  }
  const key = Buffer.from(text, "hex");
  return (secret) => createHmac("sha256", key).update(secret).digest("hex");
}

/**
 * As {@link readSeal}; makes the key, durably and readable by its owner only, where there is none.
 */
export async function openSeal(
  dataDir: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<SealSecret> {
  const seal = await readSeal(dataDir, fileSystem);
  if (seal !== null) return seal;
  await replaceFile(keyFile(dataDir), `${randomBytes(32).toString("hex")}\n`, fileSystem);
  return openSeal(dataDir, fileSystem);
}
