import * as z from "zod";
import { steersHost } from "./render-request.ts";

const secret = z.string().min(1).meta({ secret: true });

/** One secret, or several while they are rotated: the new one first. */
const secrets = z.union([secret, z.array(secret).min(1)]);

const unused = z
  .unknown()
  .describe("Known from v1alpha1 and ignored: events are durable on the bus before the 200.");

const githubHook = z
  .strictObject({
    repo: z
      .string()
      .regex(/^[\w.-]+\/[\w.-]+$/, "expected owner/name")
      .optional()
      .describe("Whose hook it is: `owner/name`, or else `org`."),
    org: z
      .string()
      .regex(/^[\w.-]+$/, "expected an organisation's name")
      .optional()
      .describe("Whose hook it is: an organisation, or else `repo`."),
    hook_id: z
      .int()
      .positive()
      .describe("The number of the hook: the end of its page's address in GitHub's settings."),
    token: secret.describe("May read the hook: `admin:repo_hook`, for `org` `admin:org_hook`."),
    base_url: z
      .url({ protocol: /^https?$/ })
      .default("https://api.github.com")
      .describe("GitHub Enterprise Server: `https://HOST/api/v3`."),
  })
  .refine(
    ({ repo, org }) => (repo === undefined) !== (org === undefined),
    "expected either repo or org",
  )
  .describe(
    "GitHub's hook that sends to this source: what GitHub could not deliver, and does not send again, is fetched every `poll.interval`.",
  );
export type GithubHook = z.output<typeof githubHook>;

/** `config` of a webhook source (v1alpha1, section 7). */
export const webhookSourceConfig = z.strictObject({
  secret: secrets
    .optional()
    .describe(
      "Verifies every request: HMAC-SHA256 as GitHub signs, or Standard Webhooks (`whsec_…`). A list accepts any of them.",
    ),
  signature: z
    .enum(["github", "standard"])
    .optional()
    .describe(
      "The one form of signature to accept. Default: Standard Webhooks where the request has `webhook-signature`, else GitHub's.",
    ),
  event_type_field: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Dot path in the body whose text becomes `provenance.platform_event`. Default: `type`; for GitHub's deliveries the event and action.",
    ),
  platform: z
    .string()
    .min(1)
    .optional()
    .describe("`provenance.platform`. Default: `github` for GitHub's deliveries, else `webhook`."),
  github_hook: githubHook.optional(),
  path: unused.optional(),
  hook_type: unused.optional(),
  buffer_dir: unused.optional(),
  max_buffer_size: unused.optional(),
});
export type WebhookSourceConfig = z.output<typeof webhookSourceConfig>;

/** `config` of a webhook actor (v1alpha1, section 7). */
export const webhookActorConfig = z.strictObject({
  url: z
    .string()
    .refine(isHttpUrl, "expected an http or https URL without user and password (use `auth`)")
    .refine(
      (url) => !steersHost(url),
      "expected a URL whose scheme, host and port are fixed: placeholders may stand behind them",
    )
    .describe("Where to: `{{dot.path}}` in path and query is filled in, percent-encoded."),
  method: z.enum(["POST", "PUT"]).default("POST"),
  headers: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .meta({ secret: "references" }),
  auth: z
    .discriminatedUnion("type", [
      z.strictObject({ type: z.literal("bearer"), token: secret }),
      z.strictObject({ type: z.literal("basic"), username: z.string(), password: secret }),
    ])
    .optional(),
  body_template: z
    .union([z.record(z.string(), z.unknown()), z.array(z.unknown()), z.string()])
    .optional()
    .describe(
      'Body with `{{event.x}}`, `{{config.x}}` and `{{launch_prompt}}`. Default: `{"event": …, "config": …, "launch_prompt": …}`.',
    ),
  secret: secrets
    .optional()
    .describe("Signs as Standard Webhooks; a list (new, old) sends a signature of each."),
});
export type WebhookActorConfig = z.output<typeof webhookActorConfig>;

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "") return false;
  return url.protocol === "http:" || url.protocol === "https:";
}
