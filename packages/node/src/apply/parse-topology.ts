import { OrgLoopError, type Topology } from "@orgloop/sdk";
import * as z from "zod";

const text = z.string().min(1);
const texts = z.array(text);
const config = z.record(z.string(), z.unknown());
const count = z.int().min(0);
const onError = z.enum(["pass", "drop", "halt"]);

/** Items in a list, no two of which have the same `identity`. */
function items<Item extends z.ZodType>(item: Item, identity: "id" | "name") {
  return z.array(item).check(({ value, issues }) => {
    const seen = new Set<unknown>();
    for (const [at, one] of value.entries()) {
      const name = Object(one)[identity];
      const message = `"${name}" stands twice`;
      if (seen.has(name))
        issues.push({ code: "custom", message, path: [at, identity], input: one });
      seen.add(name);
    }
  });
}

const delivery = z.looseObject({
  burst: z.int().min(1),
  queue_depth: count.optional(),
  overflow: z.enum(["drop_oldest", "drop_newest", "block"]),
  timeout: text,
  order: z.enum(["key", "route", "none"]),
  key: text.optional(),
  concurrency: z.int().min(1),
  retry: z.looseObject({
    max_attempts: z.int().min(1),
    backoff: z.enum(["exponential", "linear", "fixed"]),
    initial_delay: text,
    max_delay: text,
    max_retry_after: text.optional(),
    jitter: z.enum(["full", "equal", "none"]),
  }),
  circuit_breaker: z.union([
    z.literal(false),
    z.looseObject({ failure_threshold: z.int().min(1), cooldown: text, max_cooldown: text }),
  ]),
});

const route = z.looseObject({
  name: text,
  when: z.looseObject({ source: texts, events: texts, filter: config.optional() }),
  transforms: z.array(z.looseObject({ ref: text, on_error: onError.optional() })),
  then: z.looseObject({ actor: text, config, queue_until_exists: z.literal(true).optional() }),
  delivery,
  with: z.looseObject({ prompt: z.looseObject({ file: text, text: z.string() }) }).optional(),
});

const topologySchema = z.looseObject({
  project: text,
  workspace: text,
  bus: z.looseObject({ url: text }),
  defaults: z.looseObject({
    poll_interval: text,
    event_retention: text,
    repeat_window: text.optional(),
    log_level: z.enum(["debug", "info", "warn", "error"]),
    checkpoint: z.looseObject({ store: z.enum(["file", "memory"]) }),
    wal: z.looseObject({ rotate: z.looseObject({ max_size: text, max_age: text }) }),
  }),
  sources: items(
    z.looseObject({
      id: text,
      connector: text,
      config,
      key: text.optional(),
      poll: z.looseObject({ interval: text }).optional(),
      repeat_window: text.optional(),
      repeats: z.enum(["drop", "deliver"]).optional(),
      schemas: z.record(text, z.looseObject({ file: text, text })).optional(),
    }),
    "id",
  ),
  actors: items(z.looseObject({ id: text, connector: text, config, queue_depth: count }), "id"),
  routes: items(route, "name"),
  transforms: items(
    z.looseObject({
      name: text,
      type: z.enum(["script", "package"]),
      config,
      timeout_ms: count,
      on_error: onError,
    }),
    "name",
  ),
  loggers: items(z.looseObject({ name: text, type: text, config }), "name"),
});

/**
 * Checks that a value from outside has the form of a Topology, as a load makes it. Throws
 * `INVALID_TOPOLOGY`, naming the first places.
 */
export function parseTopology(value: unknown): Topology {
  const { error } = topologySchema.safeParse(value);
  if (error === undefined) return value as Topology;
  const shown = error.issues.slice(0, 5).map(({ path, message }) => {
    const where = path.length === 0 ? "topology" : `topology.${path.join(".")}`;
    return `${where}: ${message}`;
  });
  throw new OrgLoopError("INVALID_TOPOLOGY", `no topology: ${shown.join("; ")}`);
}
