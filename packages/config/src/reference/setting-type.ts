import { branchesOf } from "@orgloop/engine";
import { DURATION_PATTERN, isMapping, RATE_PATTERN, SIZE_PATTERN } from "@orgloop/sdk";
import type { JsonSchema } from "./settings-schema.ts";

const FORMS: Readonly<Record<string, string>> = {
  [DURATION_PATTERN.source]: "duration",
  [RATE_PATTERN.source]: "rate",
  [SIZE_PATTERN.source]: "size",
};

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "number",
  integer: "whole number",
  boolean: "true or false",
  object: "mapping",
  null: "nothing",
};

/** What a schema takes, in words: `text`, `one of POST, PUT`, `list of text`, `text or mapping`. */
export function settingType(root: JsonSchema, schema: unknown): string {
  const words = branchesOf(root, schema).flatMap((one) => wordsOf(root, one));
  const values = words.filter(({ value }) => value).map(({ text }) => text);
  const others = words.filter(({ value }) => !value).map(({ text }) => text);
  const listed = values.length > 1 ? `one of ${unique(values).join(", ")}` : values[0];
  const all = unique([...(listed === undefined ? [] : [listed]), ...others]);
  return all.length === 0 ? "anything" : all.join(" or ");
}

interface Word {
  readonly text: string;
  /** It is a value that may stand there, and no type. */
  readonly value: boolean;
}

function wordsOf(root: JsonSchema, schema: JsonSchema): readonly Word[] {
  const { type, enum: choices, const: constant, items } = schema;
  const values = Array.isArray(choices) ? choices : constant === undefined ? [] : [constant];
  if (values.length > 0) return values.map((one) => ({ text: String(one), value: true }));
  const types = Array.isArray(type) ? type : type === undefined ? [] : [type];
  return types.map((one) => {
    const text = one === "array" ? listOf(settingType(root, items)) : typeText(String(one), schema);
    return { text, value: false };
  });
}

const listOf = (item: string): string => (item === "anything" ? "list" : `list of ${item}`);

function typeText(type: string, { pattern, format, ...schema }: JsonSchema): string {
  if (type === "string") {
    if (format === "uri") return "URL";
    return FORMS[String(pattern)] ?? "text";
  }
  const word = TYPES[type] ?? type;
  return type === "integer" || type === "number" ? word + bounds(schema) : word;
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const said = (word: string, bound: unknown) =>
    typeof bound === "number" && Math.abs(bound) < Number.MAX_SAFE_INTEGER
      ? [`${word} ${bound}`]
      : [];
  const all = [
    ...said("at least", minimum),
    ...said("above", exclusiveMinimum),
    ...said("at most", maximum),
    ...said("below", exclusiveMaximum),
  ];
  return all.length === 0 ? "" : `, ${all.join(" and ")}`;
}

const unique = (words: readonly string[]): readonly string[] => [...new Set(words)];

/** The values that a schema lists for examples, the first of them; undefined where it has none. */
export function exampleOf({ examples, example }: JsonSchema): unknown {
  return Array.isArray(examples) ? examples[0] : isMapping(examples) ? examples : example;
}
