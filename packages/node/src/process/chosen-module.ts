import type { HostedModule } from "./host-modules.ts";
import type { WaitingModules } from "./waiting-modules.ts";

/** By which a request says which project it is for; `?module=NAME` says the same. */
const MODULE_HEADER = "orgloop-module";

/**
 * The project that a request, other than a webhook, is for; null: it is for none, or for all of
 * them.
 */
export function chosenModule(
  request: Request,
  modules: ReadonlyMap<string, HostedModule>,
  waiting: WaitingModules,
): HostedModule | null {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname.startsWith("/control/module/")) return null;
  const header = request.headers.get(MODULE_HEADER);
  const chosen = header === null ? searchParams.get("module") : decoded(header);
  if (chosen !== null) return modules.get(chosen) ?? null;
  if (pathname === "/control/shutdown") return null;
  if (pathname === "/api/status" && waiting.status().length > 0) return null;
  const [only, ...others] = modules.values();
  return only !== undefined && others.length === 0 ? only : null;
}

/** Names may have any letters: a header has them percent-encoded. */
function decoded(header: string): string {
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
}
