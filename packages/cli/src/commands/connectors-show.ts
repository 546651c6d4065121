import type { PluginReference } from "@orgloop/config";
import { suggestion } from "@orgloop/engine";
import { OWN_PACKAGES, pluginLookup } from "@orgloop/node";
import { hasCode, type PluginLookup } from "@orgloop/sdk";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { projectDirectory } from "../project/project-directory.ts";
import { findReference, ownReferences } from "../reference/named-packages.ts";
import { referenceText } from "../reference/reference-text.ts";

/**
 * `orgloop connectors show NAME`: every setting of a connector, transform, logger or module, from
 * the schema that checks it.
 */
export const connectorsShow: Command = async ({ flags, output }, [wanted = ""]) => {
  const projectDir = projectDirectory(flags.config);
  const lookup = pluginLookup({ projectDir });
  const own = await ownReferences(OWN_PACKAGES, lookup);
  const [found, ...others] = await findAll(wanted, own, projectDir, lookup);
  if (found === undefined) {
    const names = own.flatMap(({ id, name }) => (wanted.includes("/") ? [name] : [id]));
    const hint = suggestion(wanted, [...new Set(names)], "names");
    const message = `"${wanted}" is no connector, transform, logger or module that is installed${hint}`;
    throw new CommandError("NOT_FOUND", message);
  }
  if (others.length > 0) {
    output.note(`There is also ${others.map(({ name }) => name).join(", ")}.`);
  }
  output.result(found, referenceText(found, output.style));
  return 0;
};

/** By its whole name, in the project first; else ours by the short one, connectors first. */
async function findAll(
  wanted: string,
  own: readonly PluginReference[],
  projectDir: string,
  lookup: PluginLookup,
): Promise<readonly PluginReference[]> {
  const short = own.filter(({ id }) => id === wanted);
  if (short.length > 0) return short;
  try {
    return [await findReference(wanted, projectDir, lookup)];
  } catch (error) {
    if (!hasCode(error, "PLUGIN_NOT_FOUND")) throw error;
    return own.filter(({ name }) => name === wanted);
  }
}
