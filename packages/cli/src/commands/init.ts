import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { makeDirectory } from "../process/make-directory.ts";
import { BUILT_IN, optionalConnectors, projectTemplate } from "../project/project-template.ts";

export interface InitOptions {
  readonly name?: string;
  readonly description?: string;
  readonly connectors?: string;
  readonly dir?: string;
  readonly aws?: boolean;
}

/** What the README is called where the folder has one: a repository is often made with it. */
const OWN_README = "ORGLOOP.md";

/** `orgloop init`: writes a project that validates and starts as it stands; overwrites nothing. */
export const init: Command<InitOptions> = async ({ flags, output }, [dir], options) => {
  const directory = path.resolve(dir ?? options.dir ?? ".");
  const name = options.name ?? nameOf(directory);
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) {
    throw new CommandError("USAGE", `--name "${name}": expected letters, digits, "-", "_" or "."`);
  }
  const connectors = chosenConnectors(options.connectors ?? "");
  const description = options.description ?? `The events of ${name}, and who gets them.`;
  const files = projectTemplate({ name, description, connectors, aws: options.aws ?? false });

  const readme = files.get("README.md");
  if (readme !== undefined && existsSync(path.join(directory, "README.md"))) {
    files.delete("README.md");
    files.set(OWN_README, readme);
  }
  const present = [...files.keys()].filter((file) => existsSync(path.join(directory, file)));
  if (present.length > 0) {
    const listed = present.join(", ");
    const message = `${directory} already has ${listed}: init overwrites nothing; choose another directory`;
    throw new CommandError("EXISTS", message);
  }
  for (const [file, text] of files) {
    const target = path.join(directory, file);
    await makeDirectory(path.dirname(target));
    await writeFile(target, text, { flag: "wx", mode: file === ".env" ? 0o600 : 0o644 });
  }

  const relative = path.relative(process.cwd(), directory) || ".";
  const shown = relative.startsWith("..") ? directory : relative;
  const at = shown === "." ? "" : ` -c ${shown}`;
  output.result(
    { name, directory, files: [...files.keys()] },
    [
      ...[...files.keys()].map((file) => `${output.style("green", "✓")} ${path.join(shown, file)}`),
      "",
      `Next: orgloop validate${at}`,
      `      orgloop start${at}`,
      `Then: ${path.join(shown, files.has(OWN_README) ? OWN_README : "README.md")} says how to send it an event.`,
      ...(options.aws ? [`AWS:  ${path.join(shown, "DEPLOY.md")} says how it is deployed.`] : []),
    ].join("\n"),
  );
  if (flags.verbose) output.note("the secret of the source inbox was generated into .env");
  return 0;
};

function nameOf(directory: string): string {
  const words = path
    .basename(directory)
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  return words?.join("-") ?? "my-project";
}

function chosenConnectors(list: string): string[] {
  const optional = optionalConnectors();
  const names = new Set(
    list.split(",").map((name) => name.trim().replace(/^@orgloop\/connector-/, "")),
  );
  for (const name of [...names]) {
    if (name === "" || (BUILT_IN as readonly string[]).includes(name)) names.delete(name);
    else if (!optional.includes(name)) {
      const known = `${optional.join(", ")} (${BUILT_IN.join(", ")} are always there)`;
      throw new CommandError(
        "USAGE",
        `--connectors: there is no "${name}" here; expected ${known}`,
      );
    }
  }
  return [...names];
}
