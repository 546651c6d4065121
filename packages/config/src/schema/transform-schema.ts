import { isMapping } from "@orgloop/sdk";
import * as z from "zod";
import {
  childEnvironment,
  count,
  enabled,
  filePath,
  freeMapping,
  head,
  list,
  mapping,
  metadata,
  name,
  packageName,
} from "./fields.ts";
import { onErrorSchema } from "./route-schema.ts";

const TYPES = ["script", "package"];
const TYPE = "script, package, or the name of a package";

export const transformSchema = mapping({
  name: name("the transform's name").describe(
    "The transform's name; routes name it in transforms.",
  ),
  type: z
    .string({ error: TYPE })
    .refine((type) => TYPES.includes(type) || type.includes("/"), {
      error: TYPE,
      params: { values: TYPES },
    })
    .meta({ anyOf: [{ enum: TYPES }, { pattern: "/" }] })
    .describe("script, package, or the name of the package itself."),
  script: filePath().optional().describe("With type script: the file to execute."),
  package: packageName("transform-filter")
    .optional()
    .describe("With type package: the npm package."),
  config: freeMapping().describe("The transform's own settings."),
  env: childEnvironment().describe(
    "With type script: the environment variables that it gets, names or names with their values, beside PATH, HOME, LANG, TZ, TMPDIR and the ORGLOOP_ variables. Without it all of the process's.",
  ),
  timeout_ms: count(1).optional().describe("Time for one event, in milliseconds. Default: 30000."),
  on_error: onErrorSchema().describe("What happens when it fails: pass (default), drop or halt."),
  enabled: enabled(),
})
  .superRefine(
    (transform, context) => {
      const needed = TYPES.find((type) => type === transform.type);
      if (needed === undefined || transform[needed as "script" | "package"] !== undefined) return;
      const message = needed === "script" ? "the file to execute" : "the name of an npm package";
      context.addIssue({ code: "custom", path: [needed], message });
    },
    // Also beside other problems: every error of a load is reported.
    { when: ({ value }) => isMapping(value) },
  )
  .meta({ id: "Transform" });

export const transformGroupSchema = mapping({
  ...head("TransformGroup"),
  metadata: metadata(),
  transforms: list(transformSchema, "transforms").describe("Transforms that routes may use."),
});

export type TransformInput = z.infer<typeof transformSchema>;
