// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { HEAD } from "../../test/review-module.ts";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "./load-project.ts";

const path = temporaryProject({
  "orgloop.yaml": `${HEAD} Project\nmetadata: { name: demo }\nconnectors: [actors.yaml]\n`,
});

/** Loads a file whose actor has `config`, in block style; \`SET\` is set. */
async function load(config: readonly string[]) {
  const lines = config.map((text, at) => `      k${at}: ${text}\n`).join("");
  writeFileSync(
    join(path, "actors.yaml"),
    `${HEAD} ConnectorGroup\nactors:\n  - id: a\n    connector: x\n    config:\n      list: []\n${lines}`,
  );
  return loadProject({ path, env: { ORGLOOP_HOME: "/dev/null/none", SET: "1" } });
}

const missing = ({ warnings }: Awaited<ReturnType<typeof loadProject>>) =>
  warnings.filter(({ code }) => code === "missing-variable");

it.each([
  ["after a reference that is not closed", ["${vars.", "${GONE}"]],
  ["with an escaped line break in it", ["${SET}", '"$\\\n        {GONE}"']],
  ["whose first character is an escape", ["${SET}", '"\\x24{GONE}"']],
])("tells of a variable that is not set, %s", async (_, config) => {
  const { message } = missing(await load(config))[0] ?? {};
  expect(message).toBe('environment variable "GONE" is not set');
});

it("tells of all that are not set, and of nothing else, however they are written", async () => {
  const written = fc.constantFrom(
    ..."${SET} ${GONE} ${vars. ${ # ${ } '}' '${GONE} ${vars.' '${A''B}'".split(" "),
    "'${GONE} # ${vars.'",
    "x # ${vars.",
    "x # ${GONE}",
    "|\n        ${SET}\n        ${GONE}",
    ">\n        ${GO\n        NE}",
    '"$\\\n        {GONE}"',
    '"${GO\\\n        NE}"',
    '"\\u0024{GONE}"',
    '"$\\x7bGONE\\x7d"',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(written, { minLength: 1, maxLength: 4 }), async (config) => {
      const project = await load(config);
      const places = project.variables
        .filter(({ defined }) => !defined)
        .map(({ file, line, column }) => ({ file, line, column }));
      expect(missing(project)).toMatchObject(places);
    }),
  );
});

it("reads what is opened and never closed in linear time", async () => {
  const open = "${vars.".repeat(300_000);
  const { errors, variables } = await load([`"${open}"`, `x # ${open}`]);
  expect(errors.map(({ code }) => code)).toEqual(["bad-reference"]);
  expect(variables).toEqual([]);
  expect(missing(await load([`"${open}"`, "'${GONE}'"]))).toHaveLength(1);
});
