export { newLayout, type StageLayout } from "@orgloop/config/aws";
export { dashboardBody } from "./dashboard.ts";
export { dashboardSvg } from "./dashboard-svg.ts";
export { type Deployed, stillDraining } from "./draining.ts";
export { secretsOf } from "./grants.ts";
export { orgloopStacks } from "./orgloop-stacks.ts";
export { type PrepareOptions, prepareStage, stageRegion } from "./prepare-stage.ts";
export type { BundleLookup, FunctionKind, StackFactory, StageInput } from "./stage.ts";
