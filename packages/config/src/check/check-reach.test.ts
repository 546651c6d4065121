// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import { expect, it } from "vitest";
import { HEAD, lines, load } from "../../test/review-module.ts";

const project = (bus: string, network = "") => ({
  "orgloop.yaml": `${HEAD} Project
metadata: { name: acme }
bus: ${bus}
vars: { inside: "http://10.7.7.7/x" }
${network}
sources:
  - { id: hub, connector: "@orgloop/connector-github", config: { base_url: "http://192.168.1.9:8080/api" } }
  - { id: off, connector: "@orgloop/connector-github", config: { base_url: "http://10.0.0.1" }, enabled: false }
actors:
  - { id: loop, connector: "@orgloop/connector-webhook", config: { url: "http://127.0.0.1:\${PORT}/hook" } }
  - { id: odd, connector: "@orgloop/connector-webhook", config: { url: "http://0x7f.1/" } }
  - { id: meta, connector: "@orgloop/connector-webhook", config: { url: "http://[::ffff:169.254.169.254]/" } }
  - { id: name, connector: "@orgloop/connector-webhook", config: { url: "https://user:pass@localhost/" } }
  - { id: var, connector: "@orgloop/connector-webhook", config: { url: "\${vars.inside}" } }
  - { id: blank, connector: "@orgloop/connector-webhook", config: { url: " http://127.1/" } }
  - { id: slash, connector: "@orgloop/connector-webhook", config: { url: 'HTTP:\\\\10.0.0.1\\x' } }
  - { id: fine, connector: "@orgloop/connector-webhook", config: { url: "https://api.example.test/127.0.0.1" } }
  - { id: later, connector: "@orgloop/connector-webhook", config: { url: "http://\${HOST}:80/" } }
routes:
  - { name: r, when: { source: hub, events: [resource.changed] }, then: { actor: fine } }
`,
});

const hosts = async (...given: Parameters<typeof load>) =>
  lines((await load(...given)).errors).map((line) => line.replace(/ is not reached.*/, ""));

const PRIVATE = [
  "orgloop.yaml:8:76 private-host | on sqs the private host 192.168.1.9",
  "orgloop.yaml:11:73 private-host | on sqs the private host 127.0.0.1",
  "orgloop.yaml:12:72 private-host | on sqs the private host 127.0.0.1",
  "orgloop.yaml:13:73 private-host | on sqs the private host [::ffff:a9fe:a9fe]",
  "orgloop.yaml:14:73 private-host | on sqs the private host localhost",
  "orgloop.yaml:15:72 private-host | on sqs the private host 10.7.7.7",
  "orgloop.yaml:16:74 private-host | on sqs the private host 127.0.0.1",
  "orgloop.yaml:17:74 private-host | on sqs the private host 10.0.0.1",
];

it("each private host that is written out is an error at its place on sqs, and nowhere else", async () => {
  expect(await hosts(project("sqs"))).toEqual(PRIVATE);
  expect(await hosts(project("file"))).toEqual([]);
});

it("what network.allow_private lists is reached", async () => {
  const listed = "network: { allow_private: [192.168.0.0/16, 10.0.0.0/8, localhost] }";
  expect(await hosts(project("sqs", listed))).toEqual([...PRIVATE.slice(1, 4), PRIVATE[6]]);
  const files = {
    ...project("file"),
    "workspaces/p.yaml": `${HEAD} Workspace
metadata: { name: p }
bus: sqs
network: { allow_private: [0.0.0.0/0, "localhost"] }
sources: { hub: { config: { base_url: "http://[fd00::1]/" } } }
`,
  };
  expect(await hosts(files, "p")).toEqual([
    "workspaces/p.yaml:6:39 private-host | on sqs the private host [fd00::1]",
  ]);
});
