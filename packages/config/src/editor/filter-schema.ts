import type { JsonSchema } from "../reference/settings-schema.ts";
import { text, unless } from "./editor-schema.ts";

const anyCase: JsonSchema = {
  type: "object",
  properties: {
    "equals-ignore-case": { type: "string", description: "The text, in any case." },
  },
  required: ["equals-ignore-case"],
  additionalProperties: false,
};

/** A text, or `{ equals-ignore-case: … }`. */
const affix = (description: string): JsonSchema => ({
  description,
  if: { type: "object" },
  then: anyCase,
  else: { type: "string" },
});

const texts = (description: string): JsonSchema => ({
  description,
  if: { type: "array" },
  then: { type: "array", items: { type: "string" }, minItems: 1 },
  else: { type: "string" },
});

const scalar: JsonSchema = {
  if: { type: "number" },
  else: { type: "string" },
};

/** The operators that stand inside `anything-but`, too. */
const refused: JsonSchema = {
  type: "object",
  properties: {
    prefix: texts("Texts that begin otherwise."),
    suffix: texts("Texts that end otherwise."),
    "equals-ignore-case": texts("Texts that are others, in any case."),
    wildcard: texts("Texts that are not like this; * is any characters."),
  },
  minProperties: 1,
  maxProperties: 1,
  additionalProperties: false,
};

/** A content operator (`docs/configuration.md`, Filters): one in each item. */
const operator: JsonSchema = {
  type: "object",
  properties: {
    prefix: affix("Texts that begin so."),
    suffix: affix("Texts that end so."),
    "anything-but": {
      description: "Any value but this or these; values of other types pass.",
      if: { type: "object" },
      then: refused,
      else: {
        if: { type: "array" },
        then: { type: "array", items: scalar, minItems: 1 },
        else: scalar,
      },
    },
    numeric: {
      description: 'Numbers, by one or two comparisons: [">", 10, "<=", 99].',
      ...unless(text("\\{\\{"), { type: "array", minItems: 2, maxItems: 4 }),
    },
    exists: {
      description: "true: it is there; false: it is not.",
      ...unless(text("\\{\\{|\\$\\{"), { type: "boolean" }),
    },
    "equals-ignore-case": { type: "string", description: "The text, in any case." },
    wildcard: { type: "string", description: "Texts like this; * is any characters." },
    cidr: { type: "string", description: "Addresses in this network, e.g. 10.0.0.0/24." },
  },
  minProperties: 1,
  maxProperties: 1,
  additionalProperties: false,
};

/** `when.filter` and what uses its words. */
export const FILTER_DEFS: Readonly<Record<string, JsonSchema>> = {
  Filter: {
    type: ["object", "null"],
    properties: {
      $or: {
        description: "At least one of these filters fits.",
        type: "array",
        items: { $ref: "#/$defs/Filter" },
        minItems: 2,
      },
    },
    additionalProperties: { $ref: "#/$defs/Condition" },
  },
  Condition: {
    description:
      "A value that it must equal, or a list of values and operators, of which one fits.",
    if: { type: "array" },
    then: {
      type: "array",
      minItems: 1,
      items: {
        if: { type: "object" },
        then: { $ref: "#/$defs/Operator" },
        else: { if: { type: "array" }, then: { type: "string" } },
      },
    },
    // An operator stands in a list, also by itself.
    else: { if: { type: "object" }, then: { type: "array" } },
  },
  Operator: operator,
};
