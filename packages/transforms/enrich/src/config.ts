import { messageOf, splitPath } from "@orgloop/sdk";
import * as z from "zod";
import { parseComparison } from "./comparison.ts";

/** Turns what `parse` throws into an issue at the value. */
const parses = (parse: (text: string) => unknown) => (text: string, context: z.RefinementCtx) => {
  try {
    parse(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: messageOf(error) });
  }
};

const path = z.string().superRefine(parses(splitPath));

/** `config` of an enrich (v1alpha1, section 5). In the order set, copy, compute, each in the order of the file. */
export const enrichConfig = z.strictObject({
  set: z.record(path, z.unknown()).default({}).describe("Dot path → value."),
  copy: z
    .record(path, path)
    .default({})
    .describe("Dot path → the dot path to copy from; left out where that has no value."),
  compute: z
    .record(path, z.string().superRefine(parses(parseComparison)))
    .default({})
    .describe("Dot path → `field OP value`, true or false. OP is === !== > < >= or <=."),
});
export type EnrichConfig = z.output<typeof enrichConfig>;
