import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { defineConnector } from "@orgloop/sdk";
import { expect, test } from "vitest";
import * as z from "zod";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "../resolve/load-project.ts";

const config = z.looseObject({ command: z.string() });
const create = () => Promise.reject(new Error("nothing is made here"));
const exec = defineConnector({
  id: "exec",
  source: { config: z.looseObject({}), create },
  actor: { config, programs: ["command"], create },
});

async function said(command: string) {
  const path = temporaryProject({
    "orgloop.yaml": `apiVersion: orgloop/v1alpha1
kind: Project
metadata: { name: it }
sources: [{ id: hub, connector: exec }]
actors:
  - id: agent
    connector: exec
    config:
      command: ${JSON.stringify(command)}
routes: [{ name: all, when: { source: hub, events: [resource.changed] }, then: { actor: agent } }]
`,
    "bin/run.sh": "#!/bin/sh\n",
    "plain.sh": "#!/bin/sh\n",
  });
  chmodSync(join(path, "bin/run.sh"), 0o755);
  mkdirSync(join(path, "folder"));
  const lookup = async () => exec;
  const { errors, warnings } = await loadProject({ path, env: {}, lookup });
  expect(errors).toEqual([]);
  return warnings.map(({ line, column, message }) =>
    `${line}:${column} ${message}`.replaceAll(path, "PROJECT"),
  );
}

test.each([
  ["./bin/run.sh", []],
  ["cat", []],
  ["/bin/sh", []],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
  ["${BIN}/x", []],
  ["./nothere.sh", ['there is no program "./nothere.sh", looked for PROJECT/nothere.sh']],
  [
    "./bin/run.sh --fast",
    [
      'there is no program "./bin/run.sh --fast", looked for PROJECT/bin/run.sh --fast: ./bin/run.sh is there; what follows it goes under args',
    ],
  ],
  ["./plain.sh", ['"./plain.sh" may not be run: chmod +x ./plain.sh']],
  [
    "plain.sh",
    ['"plain.sh" is looked for in PATH: for the file of that name in the project write ./plain.sh'],
  ],
  ["./folder", ['"./folder" is a folder: a program is expected']],
])("%s", async (command, expected) => {
  const found = (await said(command)).filter((line) => line.startsWith("9:16"));
  expect(found).toEqual(expected.map((message) => `9:16 ${message}`));
});
