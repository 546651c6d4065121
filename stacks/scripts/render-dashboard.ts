import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dashboardSvg } from "../operate/dashboard-svg.ts";

/** `node stacks/scripts/render-dashboard.ts`: draws the dashboard for the README. */
writeFileSync(join(import.meta.dirname, "../../docs/dashboard.svg"), dashboardSvg());
