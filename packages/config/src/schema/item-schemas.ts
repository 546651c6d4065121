import { actorSchema, sourceSchema } from "./connector-schema.ts";
import { loggerSchema } from "./logger-schema.ts";
import { routeSchema } from "./route-schema.ts";
import { transformSchema } from "./transform-schema.ts";

/** The schema of each kind of item. */
export const ITEM_SCHEMAS = {
  source: sourceSchema,
  actor: actorSchema,
  route: routeSchema,
  transform: transformSchema,
  logger: loggerSchema,
} as const;
