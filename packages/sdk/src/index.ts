export * from "./actor.ts";
export * from "./bus.ts";
export * from "./checkpoint-store.ts";
export * from "./child-environment.ts";
export * from "./claim-store.ts";
export * from "./dead-letter-store.ts";
export * from "./delivery-state.ts";
export * from "./errors.ts";
export * from "./event.ts";
export * from "./fair-pool.ts";
export * from "./inbox-store.ts";
export {
  formatEntry,
  formatMetadata,
  idBegins,
  type Paint,
  shortId,
} from "./log-lines/format-entry.ts";
export { PHASE_STYLES, shownPhases } from "./log-lines/phase-style.ts";
export * from "./logger.ts";
export * from "./plugin.ts";
export * from "./problem.ts";
export * from "./route-state-store.ts";
export * from "./source.ts";
export * from "./standard-schema.ts";
export * from "./templates/fill-template.ts";
export * from "./templates/template.ts";
export * from "./topology.ts";
export * from "./transform.ts";
export * from "./units.ts";
export * from "./values/check-event.ts";
export * from "./values/escape-controls.ts";
export * from "./values/json.ts";
export * from "./values/path.ts";
