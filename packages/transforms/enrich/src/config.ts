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
export const enrichConfig = z
  .strictObject({
    set: z._default(z.record(path, z.unknown()), {}).check(
      z.meta({
        description: "Dot path → value that is put there.",
        examples: [{ "payload.team": "platform" }],
      }),
    ),
    copy: z._default(z.record(path, path), {}).check(
      z.meta({
        description: "Dot path → the dot path to copy from; left out where that has no value.",
        examples: [{ "payload.author": "provenance.author" }],
      }),
    ),
    compute: z._default(z.record(path, z.string().check(parses(parseComparison))), {}).check(
      z.meta({
        description: "Dot path → `field OP value`, true or false. OP is === !== > < >= or <=.",
        examples: [{ "payload.is_large": "payload.additions > 500" }],
      }),
    ),
  })
  .check(
    z.meta({
      title: "Enrich",
      description: "Writes values into the event: fixed ones, copies, comparisons, in this order.",
      examples: [{ set: { "payload.team": "platform" } }],
    }),
  );
export type EnrichConfig = z.output<typeof enrichConfig>;
