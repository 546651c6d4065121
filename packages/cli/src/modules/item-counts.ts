import type { ItemKind } from "@orgloop/config";
import { counted } from "../terminal/counted.ts";

/** `2 routes, 1 transform`; `nothing`. */
export function itemCounts(items: readonly { readonly kind: ItemKind }[]): string {
  const kinds = Map.groupBy(items, ({ kind }) => kind);
  const parts = [...kinds].map(([kind, members]) => counted(members.length, kind));
  return parts.length === 0 ? "nothing" : parts.join(", ");
}
