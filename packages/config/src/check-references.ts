import type { Declaration, Declarations, ItemKind } from "./declarations.ts";
import { at, ITEM_KINDS, identityOf, placeOf } from "./declarations.ts";
import type { DocumentPath } from "./document-path.ts";
import { valueAt } from "./document-path.ts";
import type { Findings } from "./findings.ts";
import { suggestion } from "./nearest.ts";
import { holdsReference } from "./schema/fields.ts";

type Named = ReadonlyMap<string, Declaration>;
type Names = Readonly<Record<ItemKind, Named>>;

/** Items of one kind and name: the second is an error that names the first. */
function indexNames(declarations: Declarations, findings: Findings): Names {
  const names = {} as Record<ItemKind, Named>;
  for (const kind of ITEM_KINDS) {
    const byName = new Map<string, Declaration>();
    for (const declaration of declarations[kind] as Declaration[]) {
      const first = byName.get(declaration.name);
      if (first === undefined) {
        byName.set(declaration.name, declaration);
        continue;
      }
      findings.errors.push({
        ...at(declaration, [identityOf(kind)]),
        code: "duplicate-name",
        message: `there is already ${article(kind)} "${declaration.name}", at ${placeOf(first)}`,
      });
    }
    names[kind] = byName;
  }
  return names;
}

type Refer = (name: string, path: DocumentPath) => void;

/** Calls `refer` with the text, or each text of the list, at `path` of a raw route. */
function eachText(value: unknown, path: DocumentPath, refer: Refer): void {
  if (typeof value === "string") {
    if (!holdsReference(value)) refer(value, path);
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      if (!Array.isArray(item)) eachText(item, [...path, index], refer);
    }
  }
}

/**
 * Duplicate names, and every reference of every route. With `complete: false` (a file could not be read) unknown names are
 * not reported: they may stand in that file.
 */
export function checkReferences(
  declarations: Declarations,
  complete: boolean,
  findings: Findings,
): void {
  const names = indexNames(declarations, findings);
  const known = {} as Record<ItemKind, string[]>;

  const refer = (route: Declaration<"route">, kind: ItemKind, name: string, path: DocumentPath) => {
    const target = names[kind].get(name);
    const place = at(route, path);
    if (target === undefined) {
      if (!complete) return;
      known[kind] ??= [...names[kind].keys()];
      const other = ITEM_KINDS.find((one) => one !== "route" && names[one].has(name));
      const hint = other
        ? `: "${name}" is ${article(other)}`
        : suggestion(name, known[kind], `${kind}s`);
      const message = `unknown ${kind} "${name}"${hint}`;
      findings.errors.push({ ...place, code: "unknown-reference", message });
    } else if (!target.enabled && route.enabled) {
      const message = `${kind} "${name}" is switched off (enabled: false) at ${placeOf(target)}`;
      // A source that is off sends nothing, which does no harm; a delivery needs its actor and transforms.
      const list = kind === "source" ? findings.warnings : findings.errors;
      list.push({ ...place, code: "disabled-reference", message });
    }
  };

  for (const route of declarations.route) {
    const { when, then, transforms } = route.value as Record<string, unknown>;
    eachText(valueAt(when, ["source"]), ["when", "source"], (name, path) =>
      refer(route, "source", name, path),
    );
    eachText(valueAt(then, ["actor"]), ["then", "actor"], (name, path) =>
      refer(route, "actor", name, path),
    );
    if (!Array.isArray(transforms)) continue;
    for (const [index, use] of transforms.entries()) {
      eachText(valueAt(use, ["ref"]), ["transforms", index, "ref"], (name, path) =>
        refer(route, "transform", name, path),
      );
    }
  }
}

const article = (kind: ItemKind) => `${kind === "actor" ? "an" : "a"} ${kind}`;
