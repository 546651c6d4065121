import { stringify } from "yaml";

/** What `orgloop add` writes. */
export interface Addition {
  readonly kind: "connector" | "transform" | "logger" | "route";
  readonly name: string;
  /**
   * Of a connector: `source` (default) or `actor`; of a transform: `script` (default) or `package`.
   */
  readonly type?: string | undefined;
  /** Of a route. */
  readonly source?: string | undefined;
  readonly actor?: string | undefined;
}

interface AddedFile {
  readonly file: string;
  readonly text: string;
  readonly executable?: boolean;
}

/**
 * Where each kind lives, and under which key the manifest lists it; null: it is found by itself.
 */
export const KINDS: Readonly<
  Record<Addition["kind"], { readonly folder: string; readonly list: string | null }>
> = {
  connector: { folder: "connectors", list: "connectors" },
  transform: { folder: "transforms", list: "transforms" },
  logger: { folder: "loggers", list: "loggers" },
  route: { folder: "routes", list: null },
};

/** The files of an addition, in the folder of its kind; the configuration first. */
export function additionFiles(addition: Addition): readonly AddedFile[] {
  const { kind, name } = addition;
  const config = { file: `${name}.yaml`, text: stringify(groupOf(addition), { lineWidth: 0 }) };
  const isScript = kind === "transform" && addition.type !== "package";
  return isScript ? [config, { file: `${name}.sh`, text: SCRIPT, executable: true }] : [config];
}

function groupOf({ kind, name, type, source, actor }: Addition): object {
  const apiVersion = "orgloop/v1alpha1";
  switch (kind) {
    case "connector":
      return { apiVersion, kind: "ConnectorGroup", ...connectorOf(name, type) };
    case "transform":
      return { apiVersion, kind: "TransformGroup", transforms: [transformOf(name, type)] };
    case "logger": {
      const config = { path: `~/.orgloop/logs/${name}.log` };
      const loggers = [{ name, type: "@orgloop/logger-file", config }];
      return { apiVersion, kind: "LoggerGroup", loggers };
    }
    case "route": {
      const description = `From ${source} to ${actor}`;
      const when = { source, events: ["resource.changed"] };
      const routes = [{ name, description, when, then: { actor } }];
      return { apiVersion, kind: "RouteGroup", routes };
    }
  }
}

function connectorOf(name: string, type: Addition["type"]): object {
  const connector = "@orgloop/connector-webhook";
  const actor = {
    id: name,
    description: `${name}: where its events are sent`,
    connector,
    config: { url: `\${${variable(name)}_URL}` },
  };
  const source = {
    id: name,
    description: `${name}: takes what is sent to /webhook/${name}`,
    connector,
    config: { secret: `\${${variable(name)}_SECRET}` },
    emits: ["resource.changed"],
  };
  return type === "actor" ? { actors: [actor] } : { sources: [source] };
}

const transformOf = (name: string, type: Addition["type"]): object =>
  type === "package"
    ? { name, type, package: `@orgloop/transform-${name}` }
    : { name, type: "script", script: `./${name}.sh`, env: [], timeout_ms: 5000 };

const variable = (name: string): string => name.toUpperCase().replaceAll(/\W/g, "_");

/**
 * v1alpha1, section 5: the event on stdin; what is printed goes on, nothing drops it, an exit of 2
 * or more is an error.
 */
const SCRIPT = `#!/bin/sh
# The event comes on stdin as JSON; what is printed goes on instead of it. Printing nothing, or exit 1, drops it;
# 2 and above is an error, which on_error decides about. ORGLOOP_SOURCE, ORGLOOP_TARGET, ORGLOOP_EVENT_TYPE,
# ORGLOOP_EVENT_ID and ORGLOOP_ROUTE say what it is about.
set -eu
cat
`;
