export { askAccount } from "./ask-account.ts";
export { appliedResource, bucketContentsResource } from "./custom-resources.ts";
export { releaseAtExit, takeDeployLock } from "./deploy-lock.ts";
export { deployedReader } from "./deployed-reader.ts";
