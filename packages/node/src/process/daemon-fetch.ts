import { RETRY_AFTER_S, type WebhookAnswer, webhookSourceId } from "@orgloop/engine";
import type { Hono } from "hono";
import type { AnswerRequest, HttpServerOptions } from "../http/http-server.ts";
import type { HostedProject } from "./hosted-project.ts";
import type { RunningProjects } from "./running-projects.ts";

/** The projects of a process, and those that are to be. */
type Projects = Pick<RunningProjects, "all" | "waiting" | "stopping">;

/** Answers each webhook by the project that has its source. */
export function hostWebhook(projects: Projects): AnswerRequest {
  return async (request, url) => {
    const owner = webhookOwner(url, projects);
    if ("error" in owner) return refusedWebhook(owner);
    const { requests, project } = owner.module;
    return requests.during(() => project.http.webhooks.answer(request, url));
  };
}

/** Answers each other request by its project; `shared`: what is for none of them, or for all. */
export function daemonFetch(projects: Projects, shared: Hono): HttpServerOptions["fetch"] {
  return (request, env) => {
    const module = chosenProject(request, projects);
    if (module === null) return shared.fetch(request, env as object);
    return module.requests.during(() => module.app.fetch(request, env as object));
  };
}

/** Which project takes a webhook; or what its sender hears. */
type WebhookOwner =
  | { readonly module: HostedProject }
  | { readonly status: 404 | 409 | 503; readonly error: string };

/**
 * `/webhook/SOURCE` is for the one project that has the source, `?module=NAME` for that one
 * (`docs/commands.md`, HTTP). 404 is for good to many senders: while a project opens or failed to,
 * and while the process stops, it is 503.
 */
function webhookOwner(
  { pathname, searchParams }: URL,
  { all: modules, waiting, stopping }: Projects,
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
  const owners = [...modules.values()].filter(({ project }) => project.http.webhooks.has(id));
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
function refusedWebhook({
  status,
  error,
}: Extract<WebhookOwner, { error: string }>): WebhookAnswer {
  const headers: WebhookAnswer["headers"] =
    status === 503 ? { "retry-after": String(RETRY_AFTER_S) } : {};
  return { status, headers, body: { error } };
}

/** By which a request says which project it is for; `?module=NAME` says the same. */
const MODULE_HEADER = "orgloop-module";

/**
 * The project that a request, other than a webhook, is for; null: it is for none, or for all of
 * them.
 */
function chosenProject(
  request: Request,
  { all: modules, waiting }: Projects,
): HostedProject | null {
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
