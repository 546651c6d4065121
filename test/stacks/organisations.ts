import { enterpriseFiles } from "@orgloop/testkit";
import { STAGE } from "./synthesize.ts";

const head = (kind: string, name: string) =>
  `apiVersion: orgloop/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\n`;

/** The workspace of the stage, on `sqs`, with more lines of YAML. */
export const workspaceFile = (more = "") => ({
  [`workspaces/${STAGE}.yaml`]: `${head("Workspace", STAGE)}bus: sqs\n${more}`,
});

/**
 * A few of everything: a webhook source and two that are polled, three actors, two of them behind
 * one secret.
 */
export const smallFiles = (workspace = "", actors = "") => ({
  ...workspaceFile(workspace),
  "orgloop.yaml": `${head("Project", "small")}sources:
  - id: hub
    connector: "@orgloop/connector-webhook"
    config: { secret: "\${HUB_SECRET}" }
  - id: octo
    connector: "@orgloop/connector-github"
    poll: { interval: 7m }
    config: { repo: acme/api, token: "\${GITHUB_TOKEN}" }
  - id: clock
    connector: "@orgloop/connector-cron"
    poll: { interval: 1m }
    config: { schedules: [] }
actors:
  - id: reviewer
    connector: "@orgloop/connector-webhook"
    config: { url: "https://reviewer.test", secret: "\${AGENT_SECRET}" }
  - id: triage
    connector: "@orgloop/connector-webhook"
    config: { url: "https://triage.test", secret: "\${AGENT_SECRET}" }
  - id: slow
    connector: "@orgloop/connector-webhook"
    config: { url: "https://slow.test" }
${actors}transforms:
  - name: drop-bots
    type: package
    package: "@orgloop/transform-filter"
    config: { exclude: { provenance.author_type: bot } }
routes:
  - name: reviews
    when: { source: [hub, octo], events: [resource.changed] }
    transforms: [{ ref: drop-bots }]
    then: { actor: reviewer, config: { tone: "\${REVIEW_TONE}" } }
  - name: triage
    when: { source: hub, events: [resource.changed] }
    then:
      actor: triage
      config: { inbox: true, session_key: "{{payload.agent}}" }
      delivery: { concurrency: 1 }
  - name: slow
    when: { source: clock, events: [resource.changed] }
    then: { actor: slow, delivery: { timeout: 14m, concurrency: 2000 } }
`,
});

/** A generated organisation of the Fortune-50 shape, and a webhook source. */
export function enterprise(
  size: { sources: number; actors: number; routes: number; teams: number },
  workspace = "",
) {
  const files = enterpriseFiles(size);
  const hub = `sources:
  - id: hub
    connector: "@orgloop/connector-webhook"
    config: { secret: "\${HUB_SECRET}" }
`;
  return {
    ...files,
    "orgloop.yaml": `${files["orgloop.yaml"]}${hub}`,
    ...workspaceFile(workspace),
  };
}
