import { messageOf, splitPath } from "@orgloop/sdk";
import * as z from "zod/mini";
import { parseComparison } from "./comparison.ts";

/** Turns what `parse` throws into an issue at the value. */
const parses = (parse: (text: string) => unknown) =>
  z.superRefine<string>((text, context) => {
    try {
      parse(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: messageOf(error) });
    }
  });

const path = z.string().check(parses(splitPath));

/**
 * `config` of an enrich (v1alpha1, section 5). In the order set, copy, compute, each in the order
 * of the file.
 */
export const enrichConfig = z.strictObject({
  set: z._default(z.record(path, z.unknown()), {}).check(z.describe("Dot path → value.")),
  copy: z
    ._default(z.record(path, path), {})
    .check(z.describe("Dot path → the dot path to copy from; left out where that has no value.")),
  compute: z
    ._default(z.record(path, z.string().check(parses(parseComparison))), {})
    .check(z.describe("Dot path → `field OP value`, true or false. OP is === !== > < >= or <=.")),
});
export type EnrichConfig = z.output<typeof enrichConfig>;
