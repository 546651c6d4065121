import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { DeliveryContext } from "@orgloop/sdk";

/** Of `then.config` as JSON, in bytes: Linux takes no longer variable than 128 KiB. */
const MAX_VARIABLE = 100 * 1024;

/**
 * Runs a command with what its route says in files that only this user can read, and that go with
 * it: `then.config` as JSON (`ORGLOOP_CONFIG_FILE`, up to 100 KB also `ORGLOOP_CONFIG`) where there
 * is one, and the prompt (`ORGLOOP_PROMPT_FILE`) where its own file is not here or is filled in.
 */
export async function withDeliveryFiles<Result>(
  { config, prompt }: Pick<DeliveryContext, "config" | "prompt">,
  run: (variables: Readonly<Record<string, string | undefined>>) => Promise<Result>,
): Promise<Result> {
  const hasConfig = Object.keys(config).length > 0;
  const ownPrompt = prompt && (prompt.meta?.interpolate === true || !isAbsolute(prompt.file));
  const promptFile = prompt && { ORGLOOP_PROMPT_FILE: prompt.file };
  // The parent's names the project of the command `orgloop`.
  if (!hasConfig && !ownPrompt) return run({ ORGLOOP_CONFIG: undefined, ...promptFile });
  const directory = await mkdtemp(join(tmpdir(), "orgloop-delivery-"));
  const write = async (name: string, text: string): Promise<string> => {
    const file = join(directory, name);
    await writeFile(file, text, { mode: 0o600 });
    return file;
  };
  try {
    const json = hasConfig ? JSON.stringify(config) : undefined;
    return await run({
      ORGLOOP_CONFIG: json && Buffer.byteLength(json) <= MAX_VARIABLE ? json : undefined,
      ...(json && { ORGLOOP_CONFIG_FILE: await write("config.json", json) }),
      ...promptFile,
      ...(ownPrompt && { ORGLOOP_PROMPT_FILE: await write("prompt.md", prompt.text) }),
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
