import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { jsonSchemas } from "./json-schemas.ts";

const directory = new URL("../../schemas/", import.meta.url);

it("the committed schemas are those of the loader (else: npm run schemas -w @orgloop/config)", () => {
  const generated = jsonSchemas();
  expect(readdirSync(directory).sort()).toEqual(Object.keys(generated).sort());
  for (const [file, schema] of Object.entries(generated)) {
    expect(JSON.parse(readFileSync(new URL(file, directory), "utf8"))).toEqual(schema);
  }
});

it("every key of every mapping has a description", () => {
  const bare: string[] = [];
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== "object" || schema === null) return;
    for (const [key, value] of Object.entries(schema)) {
      const properties = key === "properties" ? Object.entries(value as object) : [];
      for (const [name, property] of properties) {
        if (!property.description && !property.enum && !property.const)
          bare.push(`${path}.${name}`);
      }
      visit(value, `${path}.${key}`);
    }
  };
  for (const [file, schema] of Object.entries(jsonSchemas())) visit(schema, file);
  expect(bare).toEqual([]);
});
