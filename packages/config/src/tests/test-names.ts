import { relative, sep } from "node:path";
import { nearest, suggestion, valueAt } from "@orgloop/engine";
import type { Topology } from "@orgloop/sdk";
import type { ItemKind } from "../resolve/declarations.ts";
import type { LoadedProject } from "../resolve/resolve-project.ts";
import { prefixed } from "../resolve/scope.ts";

/**
 * The names of what is tested, as a test file may write them: without the prefix of its module or
 * its team.
 */
export interface TestNames {
  /** The full name; undefined where there is nothing of that name. */
  find(kind: ItemKind, written: string): string | undefined;
  /** `there is no route "x": did you mean "y"?` */
  missing(kind: ItemKind, written: string): string;
}

const NAMES: Readonly<Record<ItemKind, (topology: Topology) => readonly string[]>> = {
  source: ({ sources }) => sources.map(({ id }) => id),
  actor: ({ actors }) => actors.map(({ id }) => id),
  route: ({ routes }) => routes.map(({ name }) => name),
  transform: ({ transforms }) => transforms.map(({ name }) => name),
  logger: ({ loggers }) => loggers.map(({ name }) => name),
};

/**
 * `instance`: the one that a module's tests are about; null in a project. `file`, absolute, is the
 * test file.
 */
export function testNames(
  project: LoadedProject & { readonly topology: Topology },
  instance: string | null,
  file: string,
): TestNames {
  const { topology, provenance, projectDir } = project;
  const known = new Map(
    Object.entries(NAMES).map(([kind, of]) => [kind, new Set(of(topology))] as const),
  );
  const all = (kind: ItemKind) => [...(known.get(kind) ?? [])];
  const team = instance === null ? teamOf(project, relative(projectDir, file)) : null;
  const full = (written: string) => {
    if (instance !== null) return [prefixed(instance, written), written];
    return team === null ? [written] : [`${team}/${written}`, written];
  };
  return {
    // An actor that a module still waits for (`fallback: queue`) is in no list.
    find(kind, written) {
      const found = full(written).find((name) => known.get(kind)?.has(name));
      if (found !== undefined || kind !== "actor") return found;
      return topology.routes.find(({ then }) => full(written).includes(then.actor))?.then.actor;
    },
    missing(kind, written) {
      const off = full(written).some((name) => provenance.originOf(kind, name) !== undefined);
      if (off) return `the ${kind} "${written}" is switched off`;
      const short = all(kind).map((name) => {
        const prefix = instance === null ? team && `${team}/` : `${instance}-`;
        return prefix && name.startsWith(prefix) ? name.slice(prefix.length) : name;
      });
      const near = nearest(written, short);
      const hint = near ? `: did you mean "${near}"?` : suggestion(written, all(kind), `${kind}s`);
      return `there is no ${kind} "${written}"${hint}`;
    },
  };
}

/** The team in whose folder `path`, from the project's root, lies; null for none. */
function teamOf({ provenance }: LoadedProject, path: string): string | null {
  const [manifest] = provenance.documents.values();
  const written = valueAt(manifest?.value, ["teams"]);
  const folder = (typeof written === "string" ? written : "teams").replace(/^\.\//, "").split("/");
  const steps = path.split(sep);
  const inTeam = folder.every((step, at) => steps[at] === step);
  return inTeam && steps.length > folder.length + 1 ? (steps[folder.length] ?? null) : null;
}
