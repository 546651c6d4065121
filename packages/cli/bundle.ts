import path from "node:path";
import { bundleCommand } from "./bundle-command.ts";

await bundleCommand(path.join(import.meta.dirname, "dist"));
