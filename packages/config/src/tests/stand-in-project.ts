import { dirname, join, relative, sep } from "node:path";
import { type DocumentPath, valueAt } from "@orgloop/engine";
import { isMapping } from "@orgloop/sdk";
import { declaredParameters } from "../modules/load-module.ts";
import type { SourceDocument } from "../resolve/source-document.ts";
import type { ParameterInput } from "../schema/module-schema.ts";

/** Whatever stands in for a source or an actor is never created. */
const STAND_IN = "@orgloop/connector-webhook";

/** How a test file uses its module. */
export interface StandInUse {
  /** The test file. */
  readonly document: SourceDocument;
  /** The module's manifest, and its folder, absolute. */
  readonly manifest: SourceDocument;
  readonly folder: string;
  /** Of the case: laid over the file's. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Where the case stands in the file. */
  readonly path: DocumentPath;
}

/**
 * A project of one instance of a module, in which what its params name stands in for real sources
 * and actors. Its values stand where the test file has them, so that problems do, too.
 */
export function standInProject(use: StandInUse): SourceDocument {
  const { document, manifest, folder, path } = use;
  const module = valueAt(document.value, ["module"]);
  const given = valueAt(module, ["params"]);
  const params = { ...(isMapping(given) ? given : {}), ...use.params };
  const named = (type: ParameterInput["type"]) =>
    declaredParameters(manifest)
      .filter((one) => one.type === type)
      .map(({ name }) => [params[name], connectorFor(manifest, name)] as const);
  const further = (key: string) => {
    const ids = valueAt(module, [key]);
    return (Array.isArray(ids) ? ids : []).map((id) => [id, STAND_IN] as const);
  };
  const items = (type: "source" | "actor") => {
    const connectors = new Map([...further(`${type}s`), ...named(type)]);
    return [...connectors]
      .filter(([id]) => typeof id === "string")
      .map(([id, connector]) => ({ id, connector }));
  };
  const name = valueAt(module, ["name"]);
  const packagePath = relative(dirname(document.absolute), folder).replaceAll(sep, "/");
  const value = {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "test" },
    sources: items("source"),
    actors: items("actor"),
    modules: [{ package: packagePath || ".", params, ...(typeof name === "string" && { name }) }],
  };
  const written = ([list, , key, param, ...rest]: DocumentPath): DocumentPath => {
    if (list === "sources" || list === "actors") return ["module", list];
    if (list !== "modules" || key === undefined) return ["module"];
    if (key !== "params" || param === undefined) return ["module", key];
    const own = Object.hasOwn(use.params, param);
    return [...(own ? path : ["module"]), "params", param, ...rest];
  };
  return {
    ...document,
    value,
    place: (at) => document.place(written(at)),
    locate: (at, end) => document.locate(written(at), end),
  };
}

/** The connector that the module requires of what `param` names. */
function connectorFor(manifest: SourceDocument, param: string): string {
  const required = valueAt(manifest.value, ["requires", "connectors"]);
  const found = (Array.isArray(required) ? required : []).find((one) => one?.param === param);
  const [connector] = [found?.connector ?? STAND_IN].flat();
  return String(connector);
}

export const moduleManifest = (folder: string) => join(folder, "orgloop-module.yaml");
