import { type DocumentPath, holdsReference, valueAt } from "@orgloop/engine";
import { isMapping, isPath, parseTemplate } from "@orgloop/sdk";
import { offsetInValue } from "../read/yaml/offset-in-value.ts";
import { at, type Declaration, type Declarations } from "../resolve/declarations.ts";
import type { Findings } from "../resolve/findings.ts";
import type { Layer } from "../resolve/source-document.ts";
import { checkUnfilled } from "./check-unfilled.ts";
import { CONFIG_ROOTS, PATH_ROOTS, unknownRoot } from "./unknown-root.ts";

const ENRICH = "@orgloop/transform-enrich";

/**
 * A template that can mean nothing is an error at its place, an unknown root a warning. `offsetOf`:
 * of a part of the text.
 */
export function checkTemplate(
  text: string,
  place: Layer,
  offsetOf: (part: string, offset: number) => number,
  roots: ReadonlySet<string>,
  findings: Findings,
): void {
  if (!text.includes("{{")) return;
  const { parts, problems } = parseTemplate(text);
  const wrong = new Set(problems.map(({ offset }) => offset));
  for (const { message, offset, length } of problems) {
    const start = offsetOf(text.slice(offset, offset + length), offset);
    const found = { ...place, at: "value", offset: start } as const;
    findings.errors.push({ ...found, code: "bad-template", message });
  }
  for (const part of parts) {
    if (typeof part === "string" || wrong.has(part.offset)) continue;
    const message = unknownRoot(part.path, roots);
    if (message === null) continue;
    const end = text.indexOf("}}", part.offset) + 2;
    const offset = offsetOf(text.slice(part.offset, end), part.offset);
    findings.warnings.push({ ...place, at: "value", offset, code: "unknown-root", message });
  }
}

/** {@link checkTemplate} for every text at `path` of an item and in it. */
export function checkTemplatesAt(
  item: Declaration,
  path: DocumentPath,
  roots: ReadonlySet<string>,
  findings: Findings,
): void {
  const visit = (value: unknown, here: DocumentPath): void => {
    if (typeof value === "string") {
      const { at: _, ...place } = at(item, here);
      const offsetOf = (part: string) => offsetInValue(place.document, place.path, part);
      checkTemplate(value, place, offsetOf, roots, findings);
    } else if (typeof value === "object" && value !== null) {
      const isList = Array.isArray(value);
      for (const [key, inner] of Object.entries(value)) {
        visit(inner, [...here, isList ? Number(key) : key]);
      }
    }
  };
  visit(valueAt(item.value, path), path);
}

/** Warns of a path in the event that has an unknown root. */
export function checkPath(
  item: Declaration,
  path: DocumentPath,
  written: unknown,
  roots: ReadonlySet<string>,
  findings: Findings,
  end: "key" | "value" = "value",
): void {
  if (typeof written !== "string" || holdsReference(written)) return;
  // What is no path is an error of its own.
  if (!isPath(written) || written.startsWith("$")) return;
  const message = unknownRoot(written, roots);
  if (message !== null) {
    findings.warnings.push({ ...at(item, path), at: end, code: "unknown-root", message });
  }
}

/** The roots that the project's own transforms may add to an event: what `enrich` sets. */
export function madeRoots(transforms: Declarations["transform"]): readonly string[] {
  return transforms.flatMap(({ value }) => {
    const { config, package: name, type } = value as Record<string, unknown>;
    if (!isMapping(config) || (type === "package" ? name : type) !== ENRICH) return [];
    const targets = [config.set, config.copy, config.compute].flatMap((paths) =>
      isMapping(paths) ? Object.keys(paths) : [],
    );
    return targets.map((path) => path.replace(/\..*/s, ""));
  });
}

/**
 * Checks what routes say of events: the texts at the top level of `then.config`, the paths of
 * filters and of ordering keys.
 */
export function checkTemplates(
  routes: readonly Declaration<"route">[],
  { source, transform }: Pick<Declarations, "source" | "transform">,
  findings: Findings,
): void {
  const roots = new Set([...CONFIG_ROOTS, ...madeRoots(transform)]);
  for (const route of routes) {
    const config = valueAt(route.value, ["then", "config"]);
    for (const [key, value] of Object.entries(isMapping(config) ? config : {})) {
      if (typeof value === "string" && value.includes("{{")) {
        checkTemplatesAt(route, ["then", "config", key], roots, findings);
      }
    }
    // Nested values go to the actor as they are (v1alpha1, section 4).
    checkUnfilled(route, ["then", "config"], (path) => path.length === 3, findings);
    checkUnfilled(route, ["when"], () => false, findings);
    checkFilter(route, ["when", "filter"], findings);
    for (const path of [["delivery"], ["then", "delivery"]]) {
      const key = valueAt(route.value, [...path, "key"]);
      checkPath(route, [...path, "key"], key, PATH_ROOTS, findings);
    }
  }
  for (const item of source) {
    if (item.enabled) checkPath(item, ["key"], item.value.key, PATH_ROOTS, findings);
  }
}

function checkFilter(route: Declaration, path: DocumentPath, findings: Findings): void {
  const filter = valueAt(route.value, path);
  if (!isMapping(filter)) return;
  for (const key of Object.keys(filter)) {
    const here = [...path, key];
    if (key !== "$or") checkPath(route, here, key, PATH_ROOTS, findings, "key");
    else if (Array.isArray(filter[key])) {
      for (const index of filter[key].keys()) checkFilter(route, [...here, index], findings);
    }
  }
}
