import { isMapping } from "@orgloop/sdk";
import * as z from "zod";
import { FORBIDDEN_KEYS } from "../read/yaml/forbidden-keys.ts";
import {
  enabled,
  flag,
  freeMapping,
  head,
  list,
  mapping,
  name,
  oneOf,
  oneOrMore,
  packageName,
  text,
} from "./fields.ts";

/** The types of parameters (`docs/configuration.md`, Modules). */
export const PARAMETER_TYPES = [
  "string",
  "number",
  "boolean",
  "duration",
  "rate",
  "enum",
  "list",
  "source",
  "actor",
] as const;

const PARAMETER = /^[A-Za-z_][\w-]*$/;

const parameterName = () => {
  const expected = "a parameter's name: letters, digits, _ and -";
  return z
    .string({ error: expected })
    .refine((value) => PARAMETER.test(value) && !FORBIDDEN_KEYS.has(value), { error: expected })
    .meta({ pattern: PARAMETER.source });
};

const parameterSchema = mapping({
  name: parameterName().describe("Used as {{ params.NAME }}."),
  type: oneOf(PARAMETER_TYPES).describe("What it takes."),
  description: text().optional().describe("What it is for."),
  required: flag().optional().describe("Whether a use must give it. Default: false."),
  default: z.unknown().optional().describe("What it is where a use does not give it."),
  values: z
    .array(z.union([z.string(), z.number(), z.boolean()]), { error: "a list of values" })
    .min(1, { error: "a list of values" })
    .optional()
    .describe("With type enum: what it may be."),
  example: z.unknown().optional().describe("What it may be, for people and editors."),
  secret: flag()
    .optional()
    .describe("true: it is a secret, to be given as a reference, and is never shown."),
}).superRefine(
  (parameter, context) => {
    if (parameter.type !== "enum" || parameter.values !== undefined) return;
    context.addIssue({ code: "custom", path: ["values"], message: "a list of values" });
  },
  { when: ({ value }) => isMapping(value) },
);

const requirementSchema = mapping({
  type: oneOf(["source", "actor"]).describe("What is needed."),
  id: name("the id of a source or an actor").describe("What the templates call it."),
  connector: oneOrMore(packageName("connector-github"), "the name of an npm package, or a list")
    .optional()
    .describe("The package, or one of the packages, that it must use."),
  param: parameterName().optional().describe("The parameter that says which one it is."),
  required: flag().optional().describe("Default: true."),
  fallback: oneOf(["queue", "skip"])
    .optional()
    .describe("Where it is missing: queue keeps events until it exists, skip omits the routes."),
});

/** `modules`, wherever they stand: the instances. */
export const moduleUsesSchema = list(
  mapping({
    package: text("the name of a package, or the path of a folder: ./modules/NAME").describe(
      "The module: an npm package, or a folder such as ./modules/code-review.",
    ),
    name: name("the instance's name")
      .optional()
      .describe("The instance's name. Default: the module's own name."),
    params: freeMapping().describe("What its parameters are."),
    enabled: enabled(),
  }).meta({ id: "ModuleUse" }),
  "modules, each { package, name, params }",
).describe("Instances of modules.");

/** `orgloop-module.yaml` (`docs/configuration.md`, Modules). */
export const moduleSchema = mapping({
  ...head("Module"),
  metadata: mapping({
    name: name("the module's name").describe("The module's name; of an instance without one, too."),
    title: text().optional().describe("The module's name, for people."),
    description: text().optional().describe("What the module does."),
    version: text().optional().describe("The module's version."),
  }).describe("Name, description and version of the module."),
  requires: mapping({
    connectors: list(requirementSchema, "connectors").describe("Sources and actors it needs."),
  })
    .nullish()
    .describe("What a project must have."),
  parameters: list(parameterSchema, "parameters").describe("What a use may set."),
  modules: moduleUsesSchema,
}).meta({ id: "Module" });

export type ParameterInput = z.infer<typeof parameterSchema>;
export type RequirementInput = z.infer<typeof requirementSchema>;
