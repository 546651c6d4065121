import { type DocumentPath, secretsIn, underSecretKeys, valueAt } from "@orgloop/engine";
import type { StandardSchema } from "@orgloop/sdk";
import { EXEC_CONNECTOR } from "../read/listed-environment.ts";
import type { Environment } from "../read/read-environment.ts";
import { at, type Declaration, type Declarations } from "../resolve/declarations.ts";
import type { Findings } from "../resolve/findings.ts";

const REFERENCE = /\$\{([A-Za-z_]\w*)\}/g;

/**
 * The variables that stand in `config` where a secret does: by the schema's marks, and by what keys
 * are called.
 */
export function secretVariables(schema: StandardSchema, config: unknown): string[] {
  const marked = secretsIn(schema, config).map(({ value }) => value);
  return [...marked, ...underSecretKeys(config)].flatMap((value) =>
    typeof value === "string" ? [...value.matchAll(REFERENCE)].map(([, name = ""]) => name) : [],
  );
}

/** What environments a project is loaded in. */
export interface Environments {
  /** With the project's `.env`. */
  readonly env: Environment;
  /** The process's alone: what a child inherits. */
  readonly processEnv: Environment;
}

/**
 * Warns of scripts and commands without `env`, which get the whole environment: it names the
 * secrets that they thereby get (a variable that only `.env` sets is not among them). And of what
 * an `env` lists that is not set: `start` refuses it.
 */
export function checkEnvironments(
  { transform, actor }: Pick<Declarations, "transform" | "actor">,
  secrets: ReadonlySet<string>,
  { env, processEnv }: Environments,
  findings: Findings,
): void {
  const inherited = [...secrets].filter(
    (name) => processEnv[name] !== undefined || env[name] === undefined,
  );
  for (const { item, path } of children(transform, actor)) {
    const listed = valueAt(item.value, path);
    const label = item.kind === "actor" ? "id" : "name";
    if (listed === undefined && inherited.length > 0) {
      const message = `${item.kind} "${item.name}" has no env, so that it gets all of the environment, with the secrets ${inherited.sort().join(", ")}: write env: [] and list what it needs`;
      findings.warnings.push({ ...at(item, [label]), code: "inherited-secrets", message });
    }
    if (!Array.isArray(listed)) continue;
    for (const [index, name] of listed.entries()) {
      if (typeof name !== "string" || env[name] !== undefined) continue;
      const message = `environment variable "${name}" is not set`;
      findings.warnings.push({ ...at(item, [...path, index]), code: "missing-variable", message });
    }
  }
}

/** What runs in a process of its own, and where its `env` stands. */
function children(
  transforms: Declarations["transform"],
  actors: Declarations["actor"],
): { item: Declaration; path: DocumentPath }[] {
  const scripts = transforms.filter(({ enabled, value }) => enabled && value.type === "script");
  const commands = actors.filter(
    ({ enabled, value }) => enabled && value.connector === EXEC_CONNECTOR,
  );
  return [
    ...scripts.map((item) => ({ item, path: ["env"] })),
    ...commands.map((item) => ({ item, path: ["config", "env"] })),
  ];
}
