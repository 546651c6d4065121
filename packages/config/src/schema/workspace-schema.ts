import * as z from "zod";
import { awsSchema } from "./aws-schema.ts";
import { enabled, freeMapping, head, mapping, text, workspaceName } from "./fields.ts";
import { busSchema, defaultsSchema, networkSchema, varsSchema } from "./project-schema.ts";
import { teamDefaultsSchema } from "./team-schema.ts";

/** Overrides by id or name; what they merge to is checked against the schema of the item. */
const overrides = (what: string) =>
  z
    .record(
      z.string(),
      z.record(z.string(), z.unknown(), {
        error: `a mapping: what to change in the ${what}, or enabled: false`,
      }),
      { error: `a mapping of ${what} to what to change in it` },
    )
    .nullish();

/** One file of `workspaces/` (`docs/configuration.md`, Workspaces). */
export const workspaceSchema = mapping({
  ...head("Workspace"),
  metadata: mapping({
    name: workspaceName().describe("The workspace's name: that of the file."),
    description: text().optional().describe("What the workspace is for."),
  }).describe("Name and description of the workspace."),
  bus: busSchema,
  vars: varsSchema,
  defaults: defaultsSchema.nullish().describe("Laid over the project's defaults."),
  network: networkSchema.nullish().describe("What actors may reach."),
  aws: awsSchema
    .nullish()
    .describe("Laid over the project's: the account that the workspace lands in."),
  sources: overrides("source").describe("Changes to sources, by id."),
  actors: overrides("actor").describe("Changes to actors, by id."),
  routes: overrides("route").describe("Changes to routes, by name."),
  transforms: overrides("transform").describe("Changes to transforms, by name."),
  loggers: overrides("logger").describe("Changes to loggers, by name."),
  teams: z
    .record(
      z.string(),
      mapping({
        vars: varsSchema,
        defaults: teamDefaultsSchema.nullish().describe("Laid over the team's defaults."),
      }),
      { error: "a mapping of team to vars and defaults" },
    )
    .nullish()
    .describe("Changes to the vars and defaults of teams, by name."),
  modules: z
    .record(
      z.string(),
      mapping({
        params: freeMapping().describe("Laid over what the use gives."),
        enabled: enabled(),
      }),
      {
        error: "a mapping of instance to params",
      },
    )
    .nullish()
    .describe("Changes to the params of modules' instances, by full name."),
}).meta({ id: "Workspace" });
