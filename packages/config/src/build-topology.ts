import type {
  ActorSpec,
  BusSpec,
  DefaultsSpec,
  DeliverySpec,
  LoggerSpec,
  PromptSpec,
  RouteSpec,
  SourceSpec,
  Topology,
  TransformSpec,
} from "@orgloop/sdk";
import type { Declaration, Declarations, ItemKind } from "./declarations.ts";
import { deepFreeze } from "./deep-freeze.ts";
import { effectiveDelivery, mergeDelivery } from "./effective-delivery.ts";
import type { DeliveryInput } from "./schema/delivery-schema.ts";
import type { DefaultsInput, ProjectInput } from "./schema/project-schema.ts";

/** What belongs to an item beyond its own text: found by the loader, checked already. */
export interface Attachments {
  readonly prompts: ReadonlyMap<Declaration, PromptSpec>;
  /** Paths of transforms' scripts, relative to the project. */
  readonly scripts: ReadonlyMap<Declaration, string>;
}

/** `key: value` where there is a value. */
function given<Key extends string, Value>(
  key: Key,
  value: Value | null | undefined,
): { [K in Key]?: Value } {
  return (value === undefined || value === null ? {} : { [key]: value }) as { [K in Key]?: Value };
}

function described(value: {
  description?: string | undefined;
  labels?: Readonly<Record<string, string | number | boolean>> | null | undefined;
}) {
  const labels =
    value.labels &&
    Object.fromEntries(Object.entries(value.labels).map(([key, label]) => [key, String(label)]));
  return { ...given("description", value.description), ...given("labels", labels) };
}

function sourceSpec({ value }: Declaration<"source">): SourceSpec {
  return {
    id: value.id,
    ...described(value),
    connector: value.connector,
    config: value.config ?? {},
    ...given("poll", value.poll),
    ...given("emits", value.emits),
    ...given("key", value.key),
  };
}

function actorSpec({ value }: Declaration<"actor">): ActorSpec {
  return {
    id: value.id,
    ...described(value),
    connector: value.connector,
    config: value.config ?? {},
    queue_depth: value.queue_depth ?? 1000,
  };
}

const asList = <Item>(value: Item | Item[]): Item[] => (Array.isArray(value) ? value : [value]);

function routeSpec(
  { value }: Declaration<"route">,
  delivery: DeliverySpec,
  prompt: PromptSpec | undefined,
): RouteSpec {
  return {
    name: value.name,
    ...given("description", value.description),
    when: {
      source: asList(value.when.source),
      events: asList(value.when.events),
      ...given("filter", value.when.filter),
    },
    transforms: (value.transforms ?? []).map(({ ref, on_error }) => ({
      ref,
      ...given("on_error", on_error),
    })),
    then: { actor: value.then.actor, config: value.then.config ?? {} },
    delivery,
    ...(prompt && { with: { prompt_file: prompt.file, prompt } }),
  };
}

function transformSpec(item: Declaration<"transform">, script: string | undefined): TransformSpec {
  const { value } = item;
  const type = value.type === "script" ? "script" : "package";
  return {
    name: value.name,
    type,
    ...(type === "script"
      ? given("script", script)
      : { package: value.type === "package" ? value.package : value.type }),
    config: value.config ?? {},
    timeout_ms: value.timeout_ms ?? 30_000,
    on_error: value.on_error ?? "pass",
  } as TransformSpec;
}

function loggerSpec({ value }: Declaration<"logger">): LoggerSpec {
  return { name: value.name, type: value.type, config: value.config ?? {} };
}

function defaultsSpec(defaults: DefaultsInput): DefaultsSpec {
  return {
    poll_interval: defaults.poll_interval ?? "5m",
    event_retention: defaults.event_retention ?? "7d",
    log_level: defaults.log_level ?? "info",
    checkpoint: {
      store: defaults.checkpoint?.store ?? "file",
      ...given("dir", defaults.checkpoint?.dir),
    },
    wal: {
      rotate: {
        max_size: defaults.wal?.rotate?.max_size ?? "64mb",
        max_age: defaults.wal?.rotate?.max_age ?? "1h",
      },
    },
    ...given("data_dir", defaults.data_dir),
  };
}

/** The Topology of a project that has no errors: defaults filled in, items that are switched off left out, frozen. */
export function buildTopology(
  manifest: ProjectInput,
  defaults: DefaultsInput,
  declarations: Declarations,
  { prompts, scripts }: Attachments,
): Topology {
  const on = <Kind extends ItemKind>(kind: Kind) =>
    declarations[kind].filter((item) => item.enabled) as Declaration<Kind>[];
  const plain = effectiveDelivery(defaults.delivery ?? {});
  const deliveryOf = (own: DeliveryInput | undefined) =>
    own === undefined ? plain : effectiveDelivery(mergeDelivery(defaults.delivery, own));
  const bus = manifest.bus ?? "file";
  return deepFreeze({
    project: manifest.metadata.name,
    workspace: "default",
    bus: typeof bus === "string" ? { url: bus } : (bus as BusSpec),
    defaults: defaultsSpec(defaults),
    sources: on("source").map(sourceSpec),
    actors: on("actor").map(actorSpec),
    routes: on("route").map((route) =>
      routeSpec(
        route,
        deliveryOf(route.value.delivery ?? route.value.then.delivery),
        prompts.get(route),
      ),
    ),
    transforms: on("transform").map((item) => transformSpec(item, scripts.get(item))),
    loggers: on("logger").map(loggerSpec),
  });
}
