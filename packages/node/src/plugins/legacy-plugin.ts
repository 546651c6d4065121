import {
  type ConnectorDefinition,
  isMapping,
  type LoggerDefinition,
  OrgLoopError,
  type PluginDefinition,
  type StandardSchema,
  type TransformDefinition,
} from "@orgloop/sdk";
import type { LegacyClass, LegacyRegistration } from "./legacy-interfaces.ts";
import { legacyActor, legacyLogger, legacySource, legacyTransform } from "./legacy-running.ts";

/**
 * True for a package of OrgLoop 0.7.9: it exports `register`, as its default or by that name
 * (v1alpha1, section 6).
 */
export function isRegistering(module: object): boolean {
  return registerOf(module) !== undefined;
}

/**
 * A package of OrgLoop 0.7.9 as one of ours. Its `configSchema` tells of its settings and is not
 * checked, as 0.7.9 did not: `init` of the package is the judge. Throws `PLUGIN_INVALID` where
 * `register()` yields nothing that runs.
 */
export function legacyDefinition(packageName: string, module: object): PluginDefinition {
  const registration = (registerOf(module)?.() ?? {}) as LegacyRegistration;
  const id = registration.id ?? packageName;
  const { source, target, transform, logger, configSchema } = registration;
  const anyConfig = anyConfigOf(configSchema);
  if (source !== undefined || target !== undefined) {
    return connector(id, packageName, anyConfig, source, target);
  }
  if (transform !== undefined) {
    return {
      kind: "transform",
      id,
      config: anyConfig,
      create: async (config) => {
        const created = new transform();
        await created.init(config);
        return legacyTransform(created);
      },
    } satisfies TransformDefinition<Record<string, unknown>> as TransformDefinition;
  }
  if (logger !== undefined) {
    return {
      kind: "logger",
      id,
      config: anyConfig,
      create: async (config) => {
        const created = new logger();
        await created.init(config);
        return legacyLogger(created);
      },
    } satisfies LoggerDefinition<Record<string, unknown>> as LoggerDefinition;
  }
  throw new OrgLoopError(
    "PLUGIN_INVALID",
    `package "${packageName}": its register() names no source, target, transform or logger`,
  );
}

function connector(
  id: string,
  packageName: string,
  anyConfig: AnyConfig,
  source: LegacyRegistration["source"],
  target: LegacyRegistration["target"],
): ConnectorDefinition {
  const initialised = async <T extends { init(config: object): Promise<void> }>(
    create: LegacyClass<T>,
    itemId: string,
    config: object,
  ): Promise<T> => {
    const created = new create();
    await created.init({ id: itemId, connector: packageName, config });
    return created;
  };
  const definition: ConnectorDefinition<Record<string, unknown>, Record<string, unknown>> = {
    kind: "connector",
    id,
    ...(source && {
      source: {
        config: anyConfig,
        create: async (config, context) =>
          legacySource(await initialised(source, context.id, config), context.id, id),
      },
    }),
    ...(target && {
      actor: {
        config: anyConfig,
        create: async (config, context) =>
          legacyActor(await initialised(target, context.id, config)),
      },
    }),
  };
  return definition as ConnectorDefinition;
}

type AnyConfig = StandardSchema<Record<string, unknown>>;

const anyConfigOf = (configSchema: unknown): AnyConfig => ({
  "~standard": {
    version: 1,
    vendor: "orgloop",
    ...(isMapping(configSchema) && { jsonSchema: { input: () => ({ ...configSchema }) } }),
    validate: (value = {}) =>
      isMapping(value) ? { value } : { issues: [{ message: "expected an object" }] },
  },
});

/** ES modules, and what an import makes of a CommonJS one. */
function registerOf(module: object): (() => unknown) | undefined {
  const inner = "default" in module ? module.default : undefined;
  const candidates = [inner, ...[module, Object(inner)].flatMap((m) => [m.register, m.default])];
  return candidates.find((candidate) => typeof candidate === "function");
}
