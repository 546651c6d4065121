import { OWN_PACKAGES, pluginLookup } from "@orgloop/node";
import type { Command, CommandContext } from "../command.ts";
import { projectDirectory } from "../project/project-directory.ts";
import { readProject } from "../project/read-project.ts";
import { type NamedPackage, ownReferences, projectPackages } from "../reference/named-packages.ts";
import { SCRIPT } from "../reference/usage-example.ts";
import { textTable } from "../terminal/text-table.ts";

/**
 * `orgloop connectors list`: what can be named in `connector`, `type` and `package`; OrgLoop's, and
 * what the project adds.
 */
export const connectorsList: Command = async (context) => {
  const { flags, output } = context;
  const projectDir = projectDirectory(flags.config);
  const lookup = pluginLookup({ projectDir });
  const own = await ownReferences(OWN_PACKAGES, lookup);
  const names = new Set(own.map(({ name }) => name));
  const all: readonly NamedPackage[] = [
    ...own.map((reference) => ({ origin: "orgloop" as const, reference })),
    ...(await projectPackages(projectDir, lookup, names, await namedIn(context))),
  ];
  output.result(
    all.map(listed),
    [
      textTable(["NAME", "AS", "WHAT IT DOES"], all.flatMap(rows)),
      "",
      "`orgloop connectors show NAME` lists its settings; a short name such as github will do.",
    ].join("\n"),
  );
  return 0;
};

/** The packages that the project's items name; none where there is no project that can be read. */
async function namedIn(context: CommandContext): Promise<readonly string[]> {
  const { topology } = await readProject(context).catch(() => ({ topology: null }));
  if (topology === null) return [];
  const { sources, actors, transforms, loggers } = topology;
  return [
    ...[...sources, ...actors].map(({ connector }) => connector),
    ...transforms.flatMap((one) => one.package ?? []),
    ...loggers.map(({ type }) => type),
  ];
}

function listed(one: NamedPackage): object {
  const { origin } = one;
  if ("problem" in one) return { name: one.name, origin, problem: one.problem };
  const { name, id, kind, roles } = one.reference;
  const as = roles.map(({ role, title, description }) => ({ role, title, description }));
  return { name, id, kind, origin, roles: as };
}

function rows(one: NamedPackage): readonly (readonly string[])[] {
  if ("problem" in one) return [[one.name, "-", one.problem]];
  const { name, roles } = one.reference;
  return roles.map(({ role, title, description }, at) => [
    at > 0 ? "" : name === SCRIPT ? "script" : name,
    role,
    (description ?? title).replace(/(?<=[^.]\.) .*/, ""),
  ]);
}
