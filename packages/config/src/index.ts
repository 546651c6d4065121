export { canonicalTopology, topologyHash } from "./canonical-topology.ts";
export { connectorRepeatWindows } from "./connector-repeat-windows.ts";
export type { Declaration, ItemKind } from "./declarations.ts";
export type { ConfigIssue } from "./describe-issue.ts";
export { type DocumentPath, formatPath, isMapping, valueAt } from "./document-path.ts";
export { findManifest } from "./find-manifest.ts";
export { type LoadOptions, loadProject } from "./load-project.ts";
export type { ModuleInstance } from "./module-instances.ts";
export { suggestion } from "./nearest.ts";
export { type PluginConfigResult, parsePluginConfig } from "./parse-plugin-config.ts";
export {
  changeOrigin,
  type PlanDocument,
  type PlanDocumentChange,
  type PlanState,
  planDocument,
} from "./plan-document.ts";
export {
  ABOUT_SECRETS,
  type Difference,
  differences,
  type Plan,
  type PlanAction,
  type PlanChange,
  type PlanKind,
  planTopology,
} from "./plan-topology.ts";
export { type Environment, readEnvironment } from "./read-environment.ts";
export { DEFAULT_WORKSPACE, type WorkspaceFile, workspaceFiles } from "./read-workspace.ts";
export type { LoadedProject } from "./resolve-project.ts";
export { resolveReferences } from "./resolve-references.ts";
export { restartedSources } from "./restarted-sources.ts";
export { isWorkspaceName } from "./schema/fields.ts";
export { holdsWrittenSecrets, type Seal, sealSecrets } from "./seal-secrets.ts";
export type { Layer, Position, SourceDocument } from "./source-document.ts";
export { withoutUserinfo } from "./url-credentials.ts";
export {
  locate,
  NOWHERE,
  type Origin,
  type Owner,
  type Provenance,
  settingOrigin,
  type ValueOrigin,
  valueOrigin,
} from "./value-origin.ts";
export type { VariableUse } from "./variable-uses.ts";
export { ownSecretsOf, withoutSecrets } from "./without-secrets.ts";
