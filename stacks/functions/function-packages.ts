import type { ActorSpec, SourceSpec, Topology } from "@orgloop/sdk";
import type { FunctionKind } from "../stage.ts";

/** The packages of transforms, which run in the router. */
export function routerPackages({ transforms }: Topology): readonly string[] {
  return distinct(transforms.map(packageOfTransform));
}

/** The packages of the sources that one receiver serves. */
export function receiverPackages(received: readonly SourceSpec[]): readonly string[] {
  return distinct(received.map(({ connector }) => connector));
}

/**
 * Every function's kind with the packages in it, each pair once: pollers and deliver functions hold
 * one connector, those of awaited actors none.
 */
export function functionPackages(
  topology: Topology,
  sources: { readonly polled: readonly SourceSpec[]; readonly received: readonly SourceSpec[] },
  actors: readonly ActorSpec[],
  awaited: readonly string[],
): readonly (readonly [FunctionKind, readonly string[]])[] {
  const each = (kind: FunctionKind, items: readonly { readonly connector: string }[]) =>
    distinct(items.map(({ connector }) => connector)).map((one) => [kind, [one]] as const);
  return [
    ...each("poll", sources.polled),
    ...each("deliver", actors),
    ...(awaited.length > 0 ? [["deliver", []] as const] : []),
    ...(sources.received.length > 0
      ? [["receive", receiverPackages(sources.received)] as const]
      : []),
    ["route", routerPackages(topology)],
    ["history", []],
    ["sweep", []],
    ["record", []],
    ["empty", []],
  ];
}

const packageOfTransform = ({ package: name }: Topology["transforms"][number]): string =>
  name ?? "@orgloop/transform-script";

const distinct = (names: readonly string[]): readonly string[] => [...new Set(names)].sort();
