export { secretsFromVars, writtenSecrets } from "./check/written-secrets.ts";
export type { ModuleInstance } from "./modules/module-instances.ts";
export { canonicalTopology, topologyHash } from "./plan/canonical-topology.ts";
export {
  changeOrigin,
  type PlanDocument,
  type PlanDocumentChange,
  type PlanState,
  planDocument,
} from "./plan/plan-document.ts";
export {
  ABOUT_SECRETS,
  type Difference,
  differences,
  type Plan,
  type PlanAction,
  type PlanChange,
  type PlanKind,
  planTopology,
} from "./plan/plan-topology.ts";
export { restartedSources } from "./plan/restarted-sources.ts";
export { holdsWrittenSecrets, type Seal, sealSecrets } from "./plan/seal-secrets.ts";
export {
  locate,
  NOWHERE,
  type Origin,
  type Owner,
  type Provenance,
  settingOrigin,
  type ValueOrigin,
  valueOrigin,
} from "./plan/value-origin.ts";
export { findManifest } from "./read/find-manifest.ts";
export { type Environment, readEnvironment } from "./read/read-environment.ts";
export { DEFAULT_WORKSPACE, type WorkspaceFile, workspaceFiles } from "./read/read-workspace.ts";
export {
  moduleReference,
  type PluginReference,
  pluginReference,
  type Role,
  type RoleReference,
} from "./reference/plugin-reference.ts";
export type { Setting } from "./reference/settings.ts";
export { connectorRepeatWindows } from "./resolve/connector-repeat-windows.ts";
export type { Declaration, ItemKind } from "./resolve/declarations.ts";
export { type LoadOptions, loadProject } from "./resolve/load-project.ts";
export type { LoadedProject } from "./resolve/resolve-project.ts";
export type { Layer, Position, SourceDocument } from "./resolve/source-document.ts";
export type { VariableUse } from "./resolve/variable-uses.ts";
export { isWorkspaceName } from "./schema/fields.ts";
