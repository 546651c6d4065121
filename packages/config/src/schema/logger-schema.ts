import type * as z from "zod";
import {
  enabled,
  freeMapping,
  head,
  list,
  mapping,
  metadata,
  name,
  packageName,
} from "./fields.ts";

export const loggerSchema = mapping({
  name: name("the logger's name").describe("The logger's name."),
  type: packageName("logger-console").describe("The npm package of the logger."),
  config: freeMapping().describe("The logger's own settings."),
  enabled: enabled(),
}).meta({ id: "Logger" });

export const loggerGroupSchema = mapping({
  ...head("LoggerGroup"),
  metadata: metadata(),
  loggers: list(loggerSchema, "loggers").describe("Where log entries go."),
});

export type LoggerInput = z.infer<typeof loggerSchema>;
