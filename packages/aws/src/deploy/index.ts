export { appliedResource, bucketContentsResource } from "./custom-resources.ts";
export { deployedReader } from "./deployed-reader.ts";
