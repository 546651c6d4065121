import type { Check } from "./check.ts";

/** From 22.18 on, Node runs the TypeScript of scripts and connectors as it stands (`engines`). */
export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.slice(1).split(".").map(Number);
  const sound = major > 22 || (major === 22 && minor >= 18);
  const status = sound ? "ok" : "error";
  const message = sound ? version : `${version}: 22.18 or later is needed`;
  return { category: "runtime", name: "node", status, message };
}
