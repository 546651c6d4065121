import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cliVersion } from "../cli-version.ts";
import { BUNDLED_SCHEMAS, TEMPLATES } from "../package-files.ts";

/** Templates whose names tools would take for their own. */
const RENAMED: Readonly<Record<string, string>> = { env: ".env", gitignore: ".gitignore" };

/** Connectors that every new project has. */
export const BUILT_IN = ["webhook", "cron", "file", "console"] as const;

export interface TemplateOptions {
  readonly name: string;
  readonly description: string;
  /** Of {@link optionalConnectors}. */
  readonly connectors: readonly string[];
  /** With what deploying to AWS needs. */
  readonly aws?: boolean;
}

/** Connectors that a new project can have besides. */
export function optionalConnectors(): string[] {
  return readdirSync(path.join(TEMPLATES, "connectors")).sort();
}

/** The files of a new project: path in the project, with `/`, → text. */
export function projectTemplate(options: TemplateOptions): Map<string, string> {
  const files = templateFiles(path.join(TEMPLATES, "project"));
  if (options.aws) {
    for (const [file, text] of templateFiles(path.join(TEMPLATES, "aws"))) files.set(file, text);
  }
  const listed: string[] = [];
  for (const connector of options.connectors) {
    for (const [file, text] of templateFiles(path.join(TEMPLATES, "connectors", connector))) {
      const isOverride = file.startsWith("workspaces/");
      if (isOverride && !options.aws) continue;
      // What a workspace changes of its routes: the last mapping of that file.
      const more = isOverride ? text.replace(/^(?=\S)/gm, "  ") : text;
      files.set(file, `${files.get(file) ?? ""}${more}`);
      if (file.startsWith("connectors/")) listed.push(`  - ${file}\n`);
    }
  }
  const values: Readonly<Record<string, string>> = {
    "# __CONNECTORS__\n": listed.join(""),
    __NAME__: options.name,
    __DESCRIPTION__: JSON.stringify(options.description),
    __SECRET__: randomBytes(24).toString("hex"),
  };
  for (const [file, text] of files) {
    files.set(
      file,
      text.replace(/# __CONNECTORS__\n|__[A-Z]+__/g, (mark) => values[mark] ?? mark),
    );
  }
  files.set("package.json", withDependencies(files));
  for (const [file, text] of editorSchemas()) files.set(file, text);
  return files;
}

/** The project's package.json with the command and the packages that its YAML names. */
function withDependencies(files: ReadonlyMap<string, string>): string {
  const yaml = [...files].filter(([file]) => file.endsWith(".yaml")).map(([, text]) => text);
  const named = yaml.join("\n").match(/(?<=: "?)@orgloop\/[\w-]+/g) ?? [];
  const names = [...new Set(["orgloop", ...named])].sort();
  const manifest = JSON.parse(files.get("package.json") ?? "{}");
  manifest.dependencies = Object.fromEntries(names.map((name) => [name, `^${cliVersion()}`]));
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

function templateFiles(directory: string): Map<string, string> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const read = files.map((entry): [string, string] => {
    const file = path.join(entry.parentPath, entry.name);
    const target = path.join(path.dirname(file), RENAMED[entry.name] ?? entry.name);
    const inProject = path.relative(directory, target).split(path.sep).join("/");
    return [inProject, readFileSync(file, "utf8")];
  });
  return new Map(read);
}

/**
 * The JSON Schemas of the configuration: copies in the project work offline, wherever OrgLoop is
 * installed.
 */
function editorSchemas(): [string, string][] {
  const directory = schemasDirectory();
  const names = readdirSync(directory).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => {
    return [`.orgloop/schemas/${name}`, readFileSync(path.join(directory, name), "utf8")];
  });
}

/** Beside the bundle, or where the checkout has them. */
function schemasDirectory(): string {
  if (existsSync(BUNDLED_SCHEMAS)) return BUNDLED_SCHEMAS;
  return fileURLToPath(new URL("../schemas/", import.meta.resolve("@orgloop/config")));
}
