import { isIP } from "node:net";
import { isCidr } from "@orgloop/engine/match";
import * as z from "zod";
import { awsSchema } from "./aws-schema.ts";
import { actorSchema, sourceSchema } from "./connector-schema.ts";
import { deliverySchema } from "./delivery-schema.ts";
import {
  duration,
  filePath,
  form,
  head,
  list,
  mapping,
  name,
  oneOf,
  size,
  text,
  unknownKey,
} from "./fields.ts";
import { loggerSchema } from "./logger-schema.ts";
import { moduleUsesSchema } from "./module-schema.ts";
import { routeSchema } from "./route-schema.ts";
import { transformSchema } from "./transform-schema.ts";

/** `defaults` of the manifest and of `~/.orgloop/config.yaml`. */
export const defaultsSchema = mapping({
  poll_interval: duration().optional().describe("Time between polls. Default: 5m."),
  event_retention: duration()
    .optional()
    .describe("How long the event history is kept. Default: 7d."),
  repeat_window: duration()
    .optional()
    .describe("How long what a source has sent is known again, and not routed. Default: 24h."),
  log_level: oneOf(["debug", "info", "warn", "error"]).optional().describe("Default: info."),
  checkpoint: mapping({
    store: oneOf(["file", "memory"]).optional().describe("Where checkpoints live. Default: file."),
    dir: text("the path of a directory").optional().describe("The directory of the file store."),
  })
    .optional()
    .describe("Where each source's checkpoint is kept."),
  wal: mapping({
    rotate: mapping({
      max_size: size().optional().describe("Size of a segment. Default: 64mb."),
      max_age: duration().optional().describe("Age of a segment. Default: 1h."),
    })
      .optional()
      .describe("When a new segment begins."),
  })
    .optional()
    .describe("The file bus's log."),
  delivery: deliverySchema.optional().describe("What a route's delivery does not say."),
  data_dir: text("the path of a directory").optional().describe("Moves the data of the workspace."),
});

const BUS = "memory, file, sqs, nats://host:port, redis://host:port or kafka://host:port";
const BUSES = ["memory", "file", "sqs"];

const busUrl = () =>
  form(/^(memory|file|sqs)$|^(nats|redis|kafka):\/\/[^/]+/, BUS, (value) =>
    /^(memory|file|sqs)$|^(nats|redis|kafka):\/\/[^/]+/.test(value),
  );

const HOST = /^(?!-)[a-z0-9-]+(\.[a-z0-9-]+)*$/i;

export const networkSchema = mapping({
  allow_private: list(
    form(/^\S+$/, "a range such as 127.0.0.0/8, or a host", (value) =>
      value.includes("/") ? isCidr(value) : isIP(value) !== 0 || HOST.test(value),
    ),
    "ranges and hosts",
  ).describe("Private ranges and hosts that actors may reach. Default: all, in a process."),
});

/** The buses that are no broker have no options. */
function refuseOptions({ url, ...options }: { url: string }, context: z.RefinementCtx): void {
  const keys = Object.keys(options);
  if (!BUSES.includes(url) || keys.length === 0) return;
  const message = keys.map((key) => unknownKey(key, ["url"])).join("\n");
  context.addIssue({ code: "unrecognized_keys", keys, message, input: options });
}

/** `bus` of the manifest or a workspace: changing the bus is this one line. */
export const busSchema = z
  .union(
    [
      busUrl(),
      z
        .looseObject(
          { url: busUrl().describe("The bus; further keys are the options of a broker.") },
          { error: BUS },
        )
        .superRefine(refuseOptions),
    ],
    { error: BUS },
  )
  .optional()
  .meta({ values: BUSES })
  .describe("Where events wait: memory, file (default), sqs or a URL; or { url, options }.");

/** `vars`, wherever they stand. */
export const varsSchema = z
  .record(
    z.string(),
    z.union([z.string(), z.number(), z.boolean()], { error: "text, a number, true or false" }),
    { error: "a mapping of name to value" },
  )
  .nullish()
  .describe(`Values used as \${vars.NAME}; never secrets.`);

/** A file of the project, or one item written inline. */
const fileOr = <Item extends z.ZodType>(item: Item, what: string) =>
  list(
    z.union([filePath(), item], { error: `the path of a file, or a ${what}` }),
    `files or ${what}s`,
  );

/** The manifest, `orgloop.yaml`. */
export const projectSchema = mapping({
  ...head("Project"),
  metadata: mapping({
    name: name("the project's name").describe("The project's name."),
    description: text().optional().describe("What the project is for."),
  }).describe("Name and description of the project."),
  bus: busSchema,
  vars: varsSchema,
  defaults: defaultsSchema.nullish().describe("What the items do not say."),
  network: networkSchema.nullish().describe("What actors may reach."),
  aws: awsSchema.nullish().describe("The account that workspaces on AWS land in."),
  connectors: list(filePath(), "files").describe("Files of sources and actors."),
  sources: list(sourceSchema, "sources").describe("Sources, inline."),
  actors: list(actorSchema, "actors").describe("Actors, inline."),
  routes: fileOr(routeSchema, "route").describe(
    "Routes, inline; the files in routes/ are loaded without being named.",
  ),
  transforms: fileOr(transformSchema, "transform").describe("Files of transforms, or transforms."),
  loggers: fileOr(loggerSchema, "logger").describe("Files of loggers, or loggers."),
  modules: moduleUsesSchema,
  teams: filePath("the path of a folder in the project")
    .optional()
    .describe("The folder of teams. Default: teams."),
});

/** `~/.orgloop/config.yaml`: below the project's own defaults. */
export const userConfigSchema = z.looseObject(
  { defaults: defaultsSchema.nullish() },
  { error: "a mapping with defaults" },
);

export type DefaultsInput = z.infer<typeof defaultsSchema>;
