import type { PluginReference, RoleReference, Setting } from "@orgloop/config";
import { factsOf, valueText } from "./reference-text.ts";
import { SCRIPT, settingsKey, usageExample } from "./usage-example.ts";

/** The pages of `docs/reference/`, by file name: one for each package, and an index. */
export function referencePages(
  references: readonly PluginReference[],
): ReadonlyMap<string, string> {
  const pages = references.map((one) => [pageName(one), page(one)] as const);
  return new Map([["README.md", index(references)], ...pages]);
}

const pageName = ({ kind, id }: PluginReference): string => `${kind}-${id}.md`;

const NOTE =
  "Written by `npm run reference` from the schemas that check the settings: change those, not this page.";

function index(references: readonly PluginReference[]): string {
  const rows = references.flatMap((one) =>
    one.roles.map(({ role, description, title }) => {
      const name = one.name === SCRIPT ? "script" : one.name;
      return `| [\`${name}\`](${pageName(one)}) | ${role} | ${cell(description ?? title)} |`;
    }),
  );
  return `${[
    "# Reference: connectors, transforms, loggers, modules",
    "",
    "What can be named in `connector`, `type` and `package`. `orgloop connectors list` and `orgloop connectors show NAME`",
    "print the same, and also what a project adds by itself.",
    "",
    NOTE,
    "",
    "| name | as | what it does |",
    "|---|---|---|",
    ...rows,
  ].join("\n")}\n`;
}

function page(reference: PluginReference): string {
  const { name, roles } = reference;
  return `${[
    `# \`${name}\``,
    "",
    NOTE,
    ...roles.flatMap((role) => ["", ...rolePart(reference, role)]),
  ].join("\n")}\n`;
}

function rolePart(reference: PluginReference, role: RoleReference): string[] {
  const { title, description, settings } = role;
  const key = settingsKey(reference, role);
  const where = key === null ? "These stand beside `type`." : `These stand in \`${key}\`.`;
  return [
    `## ${title}`,
    "",
    ...(description === null ? [] : [description, ""]),
    "```yaml",
    usageExample(reference, role),
    "```",
    ...(settings === null || settings.length === 0
      ? ["", "It has no settings."]
      : [
          "",
          where,
          "",
          "| setting | type | what it is | example |",
          "|---|---|---|---|",
          ...settings.map(row),
        ]),
  ];
}

function row(setting: Setting): string {
  const { name, type, description, example } = setting;
  const facts = [type, ...factsOf(setting)].join(", ");
  const shown = example === undefined ? "" : code(valueText(example));
  return `| ${code(name)} | ${cell(facts)} | ${cell(description ?? "")} | ${shown} |`;
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const code = (text: string): string => `\`${cell(text)}\``;
