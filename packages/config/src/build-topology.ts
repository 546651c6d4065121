import {
  type ActorSpec,
  type AwsSpec,
  type BusSpec,
  DEFAULT_QUEUE_DEPTH,
  type DefaultsSpec,
  type DeliverySpec,
  type LoggerSpec,
  type NetworkSpec,
  type PromptSpec,
  type RouteSpec,
  type SourceSpec,
  type Topology,
  type TransformSpec,
} from "@orgloop/sdk";
import { deliveryDefaults } from "./check-delivery.ts";
import type { Declaration, LinkedDeclarations, LinkedRoute } from "./declarations.ts";
import { deepFreeze } from "./deep-freeze.ts";
import { effectiveDelivery, mergeDelivery } from "./effective-delivery.ts";
import { mergeLayers } from "./layer.ts";
import { oncePerValue } from "./once-per-value.ts";
import type { DeliveryInput } from "./schema/delivery-schema.ts";
import type { DefaultsInput } from "./schema/project-schema.ts";
import { oncePerScope } from "./scope.ts";

/** The path of a transform's script, relative to the project, and what it contains. */
export type Script = Required<Pick<TransformSpec, "script" | "script_sha256">>;

/** What belongs to an item beyond its own text: found by the loader, checked already. */
export interface Attachments {
  readonly prompts: ReadonlyMap<Declaration, PromptSpec>;
  readonly scripts: ReadonlyMap<Declaration, Script>;
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

/** `interval`: what the defaults of the source's team say. */
function sourceSpec(
  { name, value }: Declaration<"source">,
  interval: string | undefined,
): SourceSpec {
  return {
    id: name,
    ...described(value),
    connector: value.connector,
    config: value.config ?? {},
    ...given("poll", value.poll ?? (interval === undefined ? undefined : { interval })),
    ...given("emits", value.emits),
    ...given("key", value.key),
  };
}

function actorSpec({ name, value }: Declaration<"actor">): ActorSpec {
  return {
    id: name,
    ...described(value),
    connector: value.connector,
    config: value.config ?? {},
    queue_depth: value.queue_depth ?? DEFAULT_QUEUE_DEPTH,
  };
}

const asList = <Item>(value: Item | Item[]): Item[] => (Array.isArray(value) ? value : [value]);

function routeSpec(
  route: LinkedRoute,
  deliveryOf: (route: LinkedRoute) => DeliverySpec,
): RouteSpec {
  const { name, value, links } = route;
  return {
    name,
    ...given("description", value.description),
    when: {
      source: links.sources,
      events: asList(value.when.events),
      ...given("filter", value.when.filter),
    },
    transforms: (value.transforms ?? []).map(({ ref, on_error }, index) => ({
      ref: links.transforms[index] ?? ref,
      ...given("on_error", on_error),
    })),
    then: {
      actor: links.actor,
      config: value.then.config ?? {},
      ...(links.awaitsActor && { queue_until_exists: true as const }),
    },
    delivery: deliveryOf(route),
  };
}

const withPrompt = (route: RouteSpec, prompt: PromptSpec | undefined): RouteSpec =>
  prompt === undefined ? route : { ...route, with: { prompt_file: prompt.file, prompt } };

function transformSpec(item: Declaration<"transform">, script: Script | undefined): TransformSpec {
  const { name, value } = item;
  const type = value.type === "script" ? "script" : "package";
  return {
    name,
    type,
    ...(type === "script"
      ? script
      : { package: value.type === "package" ? value.package : value.type }),
    config: value.config ?? {},
    timeout_ms: value.timeout_ms ?? 30_000,
    on_error: value.on_error ?? "pass",
  } as TransformSpec;
}

function loggerSpec({ name, value }: Declaration<"logger">): LoggerSpec {
  return { name, type: value.type, config: value.config ?? {} };
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

/** What a project is beside its items; the workspace's values are laid over the manifest's. */
export interface Settings {
  readonly project: string;
  readonly workspace: string;
  readonly bus: string | BusSpec;
  readonly defaults: DefaultsInput;
  readonly network?: NetworkSpec;
  readonly aws?: AwsSpec;
}

/** The Topology of a project that has no errors: defaults filled in, items that are switched off left out, frozen. */
export function buildTopology(
  { project, workspace, bus, defaults, network, aws }: Settings,
  declarations: LinkedDeclarations,
  { prompts, scripts }: Attachments,
): Topology {
  const { source, actor, route, transform, logger } = declarations;
  const on = <Item extends Declaration>(items: readonly Item[]) =>
    items.filter(({ enabled }) => enabled);
  const defaultsOf = deliveryDefaults();
  const intervalOf = oncePerScope((scope) => {
    const { poll_interval } = mergeLayers(scope.defaults) as DefaultsInput;
    return poll_interval === defaults.poll_interval ? undefined : poll_interval;
  });
  const plainIn = oncePerScope((scope) => effectiveDelivery(defaultsOf(scope)));
  const ownIn = oncePerScope((scope) =>
    oncePerValue((own: DeliveryInput) => effectiveDelivery(mergeDelivery(defaultsOf(scope), own))),
  );
  const deliveryOf = ({ value, scope }: LinkedRoute) => {
    const own = value.delivery ?? value.then.delivery;
    return own === undefined ? plainIn(scope) : ownIn(scope)(own);
  };
  return deepFreeze({
    project,
    workspace,
    bus: typeof bus === "string" ? { url: bus } : bus,
    defaults: defaultsSpec(defaults),
    ...given("network", network),
    ...given("aws", aws),
    sources: on(source).map((source) => sourceSpec(source, intervalOf(source.scope))),
    actors: on(actor).map(actorSpec),
    routes: on(route).map((item) =>
      withPrompt(item.known?.spec ?? routeSpec(item, deliveryOf), prompts.get(item)),
    ),
    transforms: on(transform).map((item) => transformSpec(item, scripts.get(item))),
    loggers: on(logger).map(loggerSpec),
  });
}
