import { readdirSync, readFileSync } from "node:fs";
import type { PluginReference, RoleReference } from "@orgloop/config";
import { parsePluginConfig } from "@orgloop/engine";
import { OWN_PACKAGES, pluginLookup } from "@orgloop/node";
import { expect, it } from "vitest";
import { ownReferences } from "./named-packages.ts";
import { referencePages } from "./reference-pages.ts";

const lookup = pluginLookup({ projectDir: import.meta.dirname });
const references = await ownReferences(OWN_PACKAGES, lookup);
const roles = references.flatMap((reference) =>
  reference.roles.map((role) => ({ reference, role })),
);
const nameOf = ({ name }: PluginReference, { role }: RoleReference) => `${name} (${role})`;

it("everything of ours is told of: thirteen plugins, four modules, each with title and description", () => {
  expect(references.map(({ kind }) => kind).filter((kind) => kind === "module")).toHaveLength(4);
  expect(references.length).toBe(OWN_PACKAGES.length + 4);
  const bare = roles.filter(({ role }) => !role.schema?.title || !role.description);
  expect(bare.map(({ reference, role }) => nameOf(reference, role))).toEqual([]);
});

it("every setting of every plugin and module has a description and an example", () => {
  const bare = roles.flatMap(({ reference, role }) =>
    (role.settings ?? [])
      .filter(({ description, example }) => description === null || example === undefined)
      .map(({ name }) => `${nameOf(reference, role)} ${name}`),
  );
  expect(bare).toEqual([]);
  expect(roles.flatMap(({ role }) => role.settings ?? []).length).toBeGreaterThan(90);
});

it("what is called as secrets are is marked as one", () => {
  const unmarked = roles.flatMap(({ reference, role }) =>
    (role.settings ?? [])
      .filter(({ name, secret }) => /(secret|token|password)$/.test(name) && !secret)
      .map(({ name }) => `${nameOf(reference, role)} ${name}`),
  );
  expect(unmarked).toEqual([]);
});

it("the example of every plugin fits its own schema, without a warning", async () => {
  for (const { reference, role } of roles) {
    if (reference.kind === "module") continue;
    const definition = await lookup(reference.name);
    const part =
      definition.kind === "connector" ? definition[role.role as "source" | "actor"] : definition;
    if (part === undefined) throw new Error(`${reference.name} has no ${role.role}`);
    const { errors, warnings } = await parsePluginConfig(part.config, role.example ?? {});
    expect([nameOf(reference, role), errors, warnings]).toEqual([
      nameOf(reference, role),
      undefined,
      [],
    ]);
    expect(role.example).toBeDefined();
  }
});

it("docs/reference is what the schemas say (else: npm run reference)", () => {
  const directory = new URL("../../../../docs/reference/", import.meta.url);
  const pages = referencePages(references);
  expect(readdirSync(directory).sort()).toEqual([...pages.keys()].sort());
  for (const [file, text] of pages) {
    expect(readFileSync(new URL(file, directory), "utf8")).toBe(text);
  }
});
