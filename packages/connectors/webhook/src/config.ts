// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language
import * as z from "zod";
import { steersHost } from "./render-request.ts";

const secret = z.string().min(1).meta({ secret: true });

/** One secret, or several while they are rotated: the new one first. */
const secrets = z.union([secret, z.array(secret).min(1)]);

/** Known from v1alpha1 and ignored: events are durable on the bus before the 200. */
const unused = (example: string) =>
  z
    .unknown()
    .optional()
    .meta({
      description: "Known from v1alpha1 and ignored.",
      examples: [example],
      deprecated: true,
    });

const githubHook = z
  .strictObject({
    repo: z
      .string()
      .regex(/^[\w.-]+\/[\w.-]+$/, "expected owner/name")
      .optional()
      .meta({
        description: "Whose hook it is: `owner/name`, or else `org`.",
        examples: ["acme/web"],
      }),
    org: z
      .string()
      .regex(/^[\w.-]+$/, "expected an organisation's name")
      .optional()
      .meta({
        description: "Whose hook it is: an organisation, or else `repo`.",
        examples: ["acme"],
      }),
    hook_id: z
      .int()
      .positive()
      .meta({
        description: "The number of the hook: the end of its page's address in GitHub's settings.",
        examples: [471_199_422],
      }),
    token: secret.meta({
      description: "May read the hook: `admin:repo_hook`, for `org` `admin:org_hook`.",
      examples: ["${GITHUB_TOKEN}"],
    }),
    base_url: z
      .url({ protocol: /^https?$/ })
      .default("https://api.github.com")
      .meta({
        description: "GitHub's API. GitHub Enterprise Server: `https://HOST/api/v3`.",
        examples: ["https://github.acme.example/api/v3"],
      }),
  })
  .refine(
    ({ repo, org }) => (repo === undefined) !== (org === undefined),
    "expected either repo or org",
  )
  .meta({
    description:
      "GitHub's hook that sends to this source: what GitHub could not deliver, and does not send again, is fetched every `poll.interval`.",
    examples: [{ repo: "acme/web", hook_id: 471_199_422, token: "${GITHUB_TOKEN}" }],
  });
export type GithubHook = z.output<typeof githubHook>;

/** `config` of a webhook source (v1alpha1, section 7). */
export const webhookSourceConfig = z
  .strictObject({
    secret: secrets.optional().meta({
      description:
        "Verifies every request: HMAC-SHA256 as GitHub signs, or Standard Webhooks (`whsec_…`). A list accepts any of them.",
      examples: ["${WEBHOOK_SECRET}", ["${NEW_SECRET}", "${OLD_SECRET}"]],
    }),
    signature: z
      .enum(["github", "standard"])
      .optional()
      .meta({
        description:
          "The one form of signature to accept. Default: Standard Webhooks where the request has `webhook-signature`, else GitHub's.",
        examples: ["github"],
      }),
    event_type_field: z
      .string()
      .min(1)
      .optional()
      .meta({
        description:
          "Dot path in the body whose text becomes `provenance.platform_event`. Default: `type`; for GitHub's deliveries the event and action.",
        examples: ["event.kind"],
      }),
    platform: z
      .string()
      .min(1)
      .optional()
      .meta({
        description:
          "`provenance.platform`. Default: `github` for GitHub's deliveries, else `webhook`.",
        examples: ["billing"],
      }),
    github_hook: githubHook.optional(),
    path: unused("/hook"),
    hook_type: unused("stop"),
    buffer_dir: unused("./buffer"),
    max_buffer_size: unused("10MB"),
  })
  .meta({
    title: "Webhook source",
    description:
      "Takes what is posted to `/webhook/SOURCE`: any JSON, GitHub's deliveries, Standard Webhooks.",
    examples: [{ secret: "${WEBHOOK_SECRET}", event_type_field: "event.kind" }],
  });
export type WebhookSourceConfig = z.output<typeof webhookSourceConfig>;

const authType = { description: "How it says who it is.", examples: ["bearer"] };

/** `config` of a webhook actor (v1alpha1, section 7). */
export const webhookActorConfig = z
  .strictObject({
    url: z
      .string()
      .refine(isHttpUrl, "expected an http or https URL without user and password (use `auth`)")
      .refine(
        (url) => !steersHost(url),
        "expected a URL whose scheme, host and port are fixed: placeholders may stand behind them",
      )
      .meta({
        description: "Where to: `{{dot.path}}` in path and query is filled in, percent-encoded.",
        examples: ["https://hooks.example.com/events/{{payload.number}}"],
      }),
    method: z
      .enum(["POST", "PUT"])
      .default("POST")
      .meta({ description: "The method of its requests.", examples: ["PUT"] }),
    headers: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .default({})
      .meta({
        secret: "references",
        description: "Headers of its requests.",
        examples: [{ "x-team": "platform", "x-api-key": "${API_KEY}" }],
      }),
    auth: z
      .discriminatedUnion("type", [
        z.strictObject({
          type: z.literal("bearer").meta(authType),
          token: secret.meta({
            description: "The token of a `bearer`.",
            examples: ["${HOOK_TOKEN}"],
          }),
        }),
        z.strictObject({
          type: z.literal("basic").meta(authType),
          username: z
            .string()
            .meta({ description: "The user of a `basic`.", examples: ["orgloop"] }),
          password: secret.meta({
            description: "The password of a `basic`.",
            examples: ["${HOOK_PASSWORD}"],
          }),
        }),
      ])
      .optional()
      .meta({
        description: "The `authorization` of its requests: `bearer` or `basic`.",
        examples: [{ type: "bearer", token: "${HOOK_TOKEN}" }],
      }),
    body_template: z
      .union([z.record(z.string(), z.unknown()), z.array(z.unknown()), z.string()])
      .optional()
      .meta({
        description:
          'Body with `{{event.x}}`, `{{config.x}}` and `{{launch_prompt}}`. Default: `{"event": …, "config": …, "launch_prompt": …}`.',
        examples: [{ text: "{{payload.title}}" }],
      }),
    secret: secrets.optional().meta({
      description: "Signs as Standard Webhooks; a list (new, old) sends a signature of each.",
      examples: ["${SIGNING_SECRET}"],
    }),
  })
  .meta({
    title: "Webhook actor",
    description: "Posts each event to a URL.",
    examples: [
      {
        url: "https://hooks.example.com/events",
        auth: { type: "bearer", token: "${HOOK_TOKEN}" },
        body_template: { text: "{{payload.title}}" },
      },
    ],
  });
export type WebhookActorConfig = z.output<typeof webhookActorConfig>;

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "") return false;
  return url.protocol === "http:" || url.protocol === "https:";
}
