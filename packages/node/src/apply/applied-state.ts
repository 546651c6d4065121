/** Apart from the rest of the package: a plan needs this and nothing else of it. */
export { type AppliedState, readAppliedState } from "@orgloop/stores/applied-state";
export { readSeal } from "@orgloop/stores/seal-key";
