import { expect, test } from "vitest";
import { missingParams, moduleParams } from "./module-params.ts";

const DECLARED = [
  { name: "hub", type: "source", required: true, description: "Where from." },
  { name: "max", type: "number" },
  { name: "loud", type: "boolean" },
  { name: "labels", type: "list" },
  { name: "version", type: "string" },
  { name: "level", type: "enum", values: [1, "two"] },
];

test("values have the types that the module declares", () => {
  const given = ["hub=github", "max=5", "loud=true", "labels=a, b", "version=1.0", "level=1"];
  expect(moduleParams(given, DECLARED)).toEqual({
    hub: "github",
    max: 5,
    loud: true,
    labels: ["a", "b"],
    version: "1.0",
    level: 1,
  });
  expect(moduleParams(["labels=[1, x=y]"], DECLARED)).toEqual({ labels: [1, "x=y"] });
});

test("what does not fit stays text, for the configuration to refuse at its place", () => {
  const given = ["max=many", "loud=[", "level=three", "labels=[", "unknown=1"];
  expect(moduleParams(given, DECLARED)).toEqual({
    max: "many",
    loud: "[",
    level: "three",
    labels: "[",
    unknown: "1",
  });
});

test("what is no NAME=VALUE, and a name given twice, are refused", () => {
  for (const given of [["max"], ["=1"], ["__proto__=1", "__proto__=2"], ["max=1", "max=2"]]) {
    expect(() => moduleParams(given, DECLARED)).toThrow(expect.objectContaining({ code: "USAGE" }));
  }
});

test("what must be given and is not, is named with what it is for", () => {
  expect(missingParams(DECLARED, {})).toEqual(["  --param hub=… (source): Where from."]);
  expect(missingParams(DECLARED, { hub: "x" })).toEqual([]);
});
