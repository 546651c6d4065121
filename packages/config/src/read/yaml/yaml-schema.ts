import { isWrittenNumber } from "@orgloop/sdk";
import {
  CORE_SCHEMA,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  floatCoreTag,
  intCoreTag,
  mergeTag,
  type ScalarTagOptions,
} from "js-yaml";
import { FORBIDDEN_KEYS } from "./forbidden-keys.ts";
import { keptNumber } from "./kept-number.ts";

function refusedValue(value: unknown): string {
  if (typeof value === "string") return "";
  if (isWrittenNumber(value) && !Number.isFinite(Number(value.rawJSON))) {
    const { rawJSON: text } = value;
    const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    return `number: the number ${shown} is out of the range of a double: put it in quotes`;
  }
  if (typeof value !== "number") return "";
  if (!Number.isFinite(value)) return "number: .inf and .nan are no numbers that JSON can hold";
  return Number.isInteger(value) && !Number.isSafeInteger(value)
    ? "number: the number is too large to be kept in this form; write its digits, or put it in quotes"
    : "";
}

const strictMap = defineMappingTag<Record<string, unknown>>("tag:yaml.org,2002:map", {
  create: () => ({}),
  identify: () => false,
  addPair: (map, key, value) => {
    if (typeof key !== "string") {
      return `key: keys must be text; put ${typeof key === "object" ? "it" : String(key)} in quotes`;
    }
    if (FORBIDDEN_KEYS.has(key)) return `forbidden: the key "${key}" is not allowed`;
    map[key] = value;
    return refusedValue(value);
  },
  has: (map, key) => {
    const name = String(key);
    // No value is undefined: most keys are new, which this tells for less.
    return map[name] !== undefined && Object.hasOwn(map, name);
  },
  keys: (map) => Object.keys(map),
  get: (map, key) => map[String(key)],
});

const strictSequence = defineSequenceTag<unknown[]>("tag:yaml.org,2002:seq", {
  create: () => [],
  identify: () => false,
  addItem: (list, item) => {
    list.push(item);
    return refusedValue(item);
  },
});

/** A tag of numbers, by which those that a double would change are kept as they are written. */
function keeping(tag: typeof intCoreTag): ScalarTagOptions<unknown> {
  const { implicit, implicitFirstChars, resolve } = tag;
  return {
    implicit,
    implicitFirstChars,
    identify: () => false,
    resolve: (text, ...how) => {
      const value = resolve(text, ...how);
      return keptNumber(text) ?? value;
    },
  };
}

/**
 * YAML 1.2's core schema with merge keys, and with what JSON can hold alone. What it refuses begins
 * with a word that `YamlError` makes a code of.
 */
export const YAML_SCHEMA = CORE_SCHEMA.withTags(
  mergeTag,
  strictMap,
  strictSequence,
  defineScalarTag("tag:yaml.org,2002:int", keeping(intCoreTag)),
  defineScalarTag("tag:yaml.org,2002:float", keeping(floatCoreTag)),
);
