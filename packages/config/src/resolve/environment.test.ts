// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { resolveReferences } from "@orgloop/engine";
import { expect, it } from "vitest";
import { temporaryProject } from "../../test/temporary-project.ts";
import { readEnvironment } from "../read/read-environment.ts";

it("resolves references anywhere in a value, and names the missing ones once", () => {
  const value = {
    url: "https://${HOST}/${PATH_}",
    list: ["${HOST}", 1, null, { deep: "${MISSING} ${HOST}" }],
    plain: "$HOST ${not a name} ${HOST:-x}",
    again: "${MISSING}",
    empty: "[${EMPTY}]",
  };
  const env = { HOST: "h", PATH_: "${HOST}", EMPTY: "" };
  expect(resolveReferences(value, env)).toEqual({
    value: {
      url: "https://h/${HOST}",
      list: ["h", 1, null, { deep: "${MISSING} h" }],
      plain: "$HOST ${not a name} ${HOST:-x}",
      again: "${MISSING}",
      empty: "[]",
    },
    missing: ["MISSING"],
  });
});

it("does not touch what it is given", () => {
  const value = Object.freeze({ a: Object.freeze(["${A}"]) });
  expect(resolveReferences(value, { A: "1" }).value).toEqual({ a: ["1"] });
  expect(value).toEqual({ a: ["${A}"] });
});

it("refuses a .env that is not UTF-8: another secret would be used, unseen", () => {
  const project = temporaryProject({});
  writeFileSync(join(project, ".env"), Buffer.from("SECRET=sésame\n", "latin1"));
  expect(() => readEnvironment(project, {})).toThrow(/^\.env: it is not UTF-8/);
});

it("reads .env below the shell", () => {
  const project = temporaryProject({ ".env": "A=file\nB='two words'\n# C=no\nexport D=4\n" });
  expect(readEnvironment(project, { A: "shell", B: undefined })).toEqual({
    A: "shell",
    B: "two words",
    D: "4",
  });
  expect(readEnvironment(temporaryProject({}), { A: "shell" })).toEqual({ A: "shell" });
});
