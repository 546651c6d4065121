import { RETRY_AFTER_S, webhookSourceId } from "@orgloop/engine";
import type { HostedModule } from "../process/host-modules.ts";
import type { WaitingModules } from "../process/waiting-modules.ts";

/** Which project takes a webhook; or what its sender hears. */
export type WebhookOwner =
  | { readonly module: HostedModule }
  | { readonly status: 404 | 409 | 503; readonly error: string };

export interface WebhookOwnerOptions {
  readonly modules: ReadonlyMap<string, HostedModule>;
  readonly waiting: WaitingModules;
  /** The process takes in nothing more. */
  readonly stopping: boolean;
}

/**
 * `/webhook/SOURCE` is for the one project that has the source, `?module=NAME` for that one
 * (`docs/commands.md`, HTTP). 404 is for good to many senders: while a project opens or failed to,
 * and while the process stops, it is 503.
 */
export function webhookOwner(
  { pathname, searchParams }: URL,
  { modules, waiting, stopping }: WebhookOwnerOptions,
): WebhookOwner {
  const id = webhookSourceId(pathname);
  const chosen = searchParams.get("module");
  if (chosen !== null) {
    const module = modules.get(chosen);
    if (module !== undefined) return { module };
    if (waiting.has(chosen)) return again(`the project "${chosen}" does not run yet`);
    return stopping
      ? again("the process is stopping")
      : unknown(`no project "${chosen}" runs here`);
  }
  const owners = [...modules.values()].filter(({ project }) => project.hasSource(id));
  const [owner] = owners;
  if (owners.length > 1) {
    const names = owners.map(({ name }) => name).join(", ");
    const error = `several projects have a source of this name, say for which by ?module=NAME: ${names}`;
    return { status: 409, error };
  }
  if (owner !== undefined) return { module: owner };
  const refusal = stopping ? "the process is stopping" : waiting.refusal(id);
  if (refusal !== null) return again(refusal);
  // It says so, and keeps it in its log.
  const [only, ...others] = modules.values();
  if (only !== undefined && others.length === 0) return { module: only };
  return unknown("there is no such source here");
}

const again = (error: string): WebhookOwner => ({ status: 503, error });
const unknown = (error: string): WebhookOwner => ({ status: 404, error });

/** What the sender hears whose webhook is for no open project. */
export function refusedWebhook({
  status,
  error,
}: Extract<WebhookOwner, { error: string }>): Response {
  const headers = status === 503 ? { "retry-after": String(RETRY_AFTER_S) } : {};
  return Response.json({ error }, { status, headers });
}
