import { releaseDeployLock } from "./deploy-lock.ts";

const [, , stage = "", id = "", region] = process.argv;
await releaseDeployLock({ stage, ...(region && { region }) }, id);
