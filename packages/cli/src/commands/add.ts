import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { keepFiles } from "../modules/kept-files.ts";
import { makeDirectory } from "../process/make-directory.ts";
import { addToList } from "../project/add-to-list.ts";
import { type Addition, additionFiles, KINDS } from "../project/addition.ts";
import { problemLine, readProject, readValidProject } from "../project/read-project.ts";
import { replaceText } from "../project/replace-text.ts";

export type AddFlags = Pick<Addition, "type" | "source" | "actor">;

/**
 * `orgloop add connector|transform|logger|route NAME` (v1alpha1, section 9): a file to go on from,
 * listed in the manifest. The project is checked with it; where it does not fit, everything is as
 * it was.
 */
export const add =
  (kind: Addition["kind"]): Command<AddFlags> =>
  async (context, [name = ""], flags) => {
    if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) {
      throw new CommandError("USAGE", `"${name}": expected letters, digits, "-", "_" or "."`);
    }
    const { projectDir, manifestFile, topology } = await readValidProject(context);
    const source = flags.source ?? topology.sources[0]?.id;
    const actor = flags.actor ?? topology.actors[0]?.id;
    if (kind === "route" && (source === undefined || actor === undefined)) {
      throw new CommandError(
        "USAGE",
        "a route needs --source and --actor: the project has none yet",
      );
    }
    const { folder, list } = KINDS[kind];
    const files = additionFiles({ ...flags, kind, name, source, actor });
    const absolute = (file: string) => path.join(projectDir, folder, file);
    for (const { file } of files) {
      if (!existsSync(absolute(file))) continue;
      throw new CommandError("EXISTS", `${folder}/${file} is there already: nothing was written`);
    }
    const kept = keepFiles([manifestFile, ...files.map(({ file }) => absolute(file))]);
    const [config] = files;
    const listed = `${folder}/${config?.file}`;
    try {
      await makeDirectory(path.join(projectDir, folder));
      for (const { file, text, executable } of files) {
        writeFileSync(absolute(file), text, { flag: "wx" });
        if (executable) chmodSync(absolute(file), 0o755);
      }
      if (list !== null) {
        const manifest = readFileSync(manifestFile, "utf8");
        await replaceText(manifestFile, addToList(manifest, list, listed));
      }
      const { errors } = await readProject(context);
      if (errors.length > 0) {
        const lines = errors.slice(0, 20).map((problem) => `  ${problemLine(problem)}`);
        const message = `the project does not stand with it; everything is as it was:\n${lines.join("\n")}`;
        throw new CommandError("REFUSED", message);
      }
    } catch (error) {
      kept.restore();
      throw error;
    }
    const written = files.map(({ file }) => `${folder}/${file}`);
    context.output.result(
      { kind, name, files: written, listed: list !== null },
      [
        ...written.map((file) => `${context.output.style("green", "✓")} ${file}`),
        ...(list === null ? [] : [`It is listed under \`${list}\` of the manifest.`]),
      ].join("\n"),
    );
    return 0;
  };
