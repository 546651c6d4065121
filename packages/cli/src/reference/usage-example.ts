import type { PluginReference, RoleReference } from "@orgloop/config";
import { isMapping } from "@orgloop/sdk";
import { stringify } from "yaml";

const LISTS = {
  source: "sources",
  actor: "actors",
  transform: "transforms",
  logger: "loggers",
  module: "modules",
} as const;

/** The YAML of an item that uses the package in this role. */
export function usageExample({ name, id }: PluginReference, role: RoleReference): string {
  const item = itemOf(name, id, role);
  const text = stringify(
    { [LISTS[role.role]]: [item] },
    { lineWidth: 88, flowCollectionPadding: true },
  );
  return text.trimEnd();
}

function itemOf(name: string, id: string, { role, example }: RoleReference): object {
  const config = isMapping(example) && Object.keys(example).length > 0 ? { config: example } : {};
  switch (role) {
    case "source":
    case "actor":
      return { id: `my-${id}`, connector: name, ...config };
    case "logger":
      return { name: `my-${id}`, type: name, ...config };
    case "module": {
      const params = isMapping(example) && Object.keys(example).length > 0;
      return { package: name, ...(params && { params: example }) };
    }
    case "transform":
      return name === SCRIPT
        ? { name: `my-${id}`, type: "script", ...(isMapping(example) && example) }
        : { name: `my-${id}`, type: "package", package: name, ...config };
  }
}

/** Named by `type: script`, its settings stand beside `type`. */
export const SCRIPT = "@orgloop/transform-script";

/** Where the settings of a role stand. */
export function settingsKey({ name }: PluginReference, { role }: RoleReference): string | null {
  if (name === SCRIPT) return null;
  return role === "module" ? "params" : "config";
}
