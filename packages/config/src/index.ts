export type { Declaration, ItemKind } from "./declarations.ts";
export type { ConfigIssue } from "./describe-issue.ts";
export { type DocumentPath, formatPath } from "./document-path.ts";
export { type LoadedProject, type LoadOptions, loadProject } from "./load-project.ts";
export { type PluginConfigResult, parsePluginConfig } from "./parse-plugin-config.ts";
export { type Environment, readEnvironment } from "./read-environment.ts";
export { resolveReferences } from "./resolve-references.ts";
export type { Position, SourceDocument } from "./source-document.ts";
export type { VariableUse } from "./variable-uses.ts";
