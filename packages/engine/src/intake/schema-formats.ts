import { messageOf, OrgLoopError } from "@orgloop/sdk";
import type { Format } from "ajv";
import { fullFormats } from "ajv-formats/dist/formats.js";
import { RE2JS } from "re2js";

interface LinearRegex {
  test(text: string): boolean;
  /** Ajv tells patterns apart by this. */
  toString(): string;
}

/**
 * Compiles a `pattern` for Ajv (`code.regExp`), so that none can stall intake. Throws
 * `INVALID_REGEX` for look-around and back-references.
 */
export const linearRegex = Object.assign(
  (pattern: string, flags: string): LinearRegex => {
    try {
      const options = flags.includes("i") ? RE2JS.CASE_INSENSITIVE : 0;
      const regex = RE2JS.compile(RE2JS.translateRegExp(pattern), options);
      return { test: (text) => regex.test(text), toString: () => `/${pattern}/${flags}` };
    } catch (cause) {
      throw new OrgLoopError(
        "INVALID_REGEX",
        `pattern ${JSON.stringify(pattern)} is not a regular expression that runs in linear time (${messageOf(cause)}): look-around and back-references are not supported`,
        { cause },
      );
    }
  },
  // Ajv writes this into code that it generates; only standalone code would run it.
  { code: "new RegExp" },
);

/** What the three formats that the linear engine cannot read are checked up to. */
const LONGEST = 2_048;

/** JSON Schema's formats, by name, each in linear time. */
export function schemaFormats(): readonly (readonly [name: string, Format])[] {
  return Object.entries(fullFormats).map(([name, format]) => [name, linear(format)] as const);
}

function linear(format: Format): Format {
  if (format instanceof RegExp) return testOf(format);
  if (typeof format !== "object" || !(format.validate instanceof RegExp)) return format;
  return { ...format, validate: testOf(format.validate) } as Format;
}

function testOf(regex: RegExp): (text: string) => boolean {
  try {
    const { test } = linearRegex(regex.source, regex.flags);
    return test;
  } catch {
    // `duration`, `url` and `hostname` look ahead.
    return (text) => text.length <= LONGEST && regex.test(text);
  }
}
