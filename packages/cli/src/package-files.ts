import { fileURLToPath } from "node:url";

// The bundle lies in `dist`, this file in `src`: one folder below the package, both of them.
const own = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** What `npx orgloop` runs. */
export const COMMAND = own("bin/orgloop.js");
export const TEMPLATES = own("templates/");
export const MANIFEST = own("package.json");
/** The editor's schemas, where the command is bundled. */
export const BUNDLED_SCHEMAS = fileURLToPath(new URL("schemas/", import.meta.url));
/** The manifests of the modules that come with OrgLoop, NAME.yaml each, where it is bundled. */
export const BUNDLED_MODULES = fileURLToPath(new URL("shipped-modules/", import.meta.url));
/** The folders of the same modules in the checkout. */
export const MODULES = own("../../modules/");
