import { dirname } from "node:path";
import { type DocumentPath, suggestion, valueAt } from "@orgloop/engine";
import { isMapping, messageOf } from "@orgloop/sdk";
import type { LoadedDocument } from "../read/load-documents.ts";
import type { ProjectFiles } from "../read/project-files.ts";
import { mayBeUnread, type Unread } from "../read/yaml/unread.ts";
import type { Findings } from "../resolve/findings.ts";
import { placed } from "../resolve/layer.ts";
import { type Instance, instanceScope, prefixed, type Scope } from "../resolve/scope.ts";
import type { Layer, SourceDocument } from "../resolve/source-document.ts";
import { substituteVars } from "../resolve/substitute-vars.ts";
import { declaredParameters, type LoadedModule, moduleLoader } from "./load-module.ts";
import { checkParameters, parametersOf } from "./module-parameters.ts";
import { substituteParams } from "./substitute-params.ts";

/** What the instances of a project expand to. */
export interface ExpandedModules {
  /** The templates, filled in; in the order of the uses. */
  readonly documents: readonly LoadedDocument[];
  /** Those around others first. */
  readonly instances: readonly Instance[];
  /** The files of the modules as they are, each once. */
  readonly texts: readonly SourceDocument[];
  /** The full names of the instances that are switched off. */
  readonly switchedOff: readonly string[];
  /** The instances that could not be expanded. */
  readonly unread: Unread;
}

/** A document with `modules`, and what is around it. */
interface User {
  readonly document: SourceDocument;
  readonly scope: Scope;
  /** Whose files it is one of. */
  readonly files: ProjectFiles;
  /** The modules being expanded, from the project inwards. */
  readonly chain: readonly LoadedModule[];
  /** The full local name of the instance that the document belongs to; null in the project itself. */
  readonly local: string | null;
}

/** Expands every instance of every document that has `modules`; modules may use modules, in no circle. */
export function expandModules(
  users: readonly LoadedDocument[],
  workspace: SourceDocument | undefined,
  files: ProjectFiles,
  findings: Findings,
): ExpandedModules {
  const load = moduleLoader(files, findings);
  const documents: LoadedDocument[] = [];
  const instances = new Map<string, Instance>();
  const texts = new Map<string, SourceDocument>();
  const switchedOff = new Set<string>();
  const failed: string[] = [];
  let allNamed = true;

  const expand = (user: User) => {
    const uses = valueAt(user.document.value, ["modules"]);
    if (!Array.isArray(uses)) return;
    for (const [index, use] of uses.entries()) {
      if (!isMapping(use) || typeof use.package !== "string") continue;
      expandUse(user, use, ["modules", index]);
    }
  };

  const expandUse = (user: User, use: Record<string, unknown>, path: DocumentPath) => {
    const { document, scope } = user;
    const place: Layer = { document, path };
    const report = (at: DocumentPath, code: string, message: string) => {
      const whole = { document, path: [...path, ...at], at: "value" } as const;
      findings.errors.push({ ...whole, code, message });
    };
    const localName = (own: string) => (user.local === null ? own : prefixed(user.local, own));
    const fullName = (own: string) =>
      scope.team === null ? localName(own) : `${scope.team.name}/${localName(own)}`;
    const isUnread = () => {
      if (typeof use.name === "string") failed.push(fullName(use.name));
      else allNamed = false;
    };
    let module: LoadedModule;
    try {
      module = load(String(use.package), dirname(document.absolute), user.files);
    } catch (error) {
      isUnread();
      report(["package"], "module", messageOf(error));
      return;
    }
    for (const text of [module.manifest, ...module.templates.map((one) => one.document)]) {
      texts.set(text.absolute, text);
    }
    if (user.chain.includes(module)) {
      const circle = [...user.chain.slice(user.chain.indexOf(module)), module];
      const names = circle.map(({ name }) => name).join(" → ");
      isUnread();
      reportCircle(user, place, `modules use each other in a circle: ${names}`);
      return;
    }
    if (!module.sound) {
      isUnread();
      return;
    }
    const own = typeof use.name === "string" ? use.name : module.name;
    const name = fullName(own);
    const over = valueAt(workspace?.value, ["modules", name]);
    const layers: Instance["layers"] =
      workspace && isMapping(over)
        ? [{ document: workspace, path: ["modules", name] }, place]
        : [place];
    const enabled = (isMapping(over) ? over.enabled : undefined) ?? use.enabled;
    if (enabled === false) {
      switchedOff.add(name);
      return;
    }
    const first = instances.get(name);
    if (first !== undefined) {
      const { document: other, path: at } = first.layers.at(-1) as Layer;
      const { line, column } = other.locate(at);
      const where = `${other.file}:${line}:${column}`;
      const message = `there is already an instance "${name}", at ${where}: give one of them another name`;
      failed.push(name);
      report([use.name === undefined ? "package" : "name"], "duplicate-instance", message);
      return;
    }
    const manifest = substituteVars(module.manifest, scope.vars, findings);
    const parameters = parametersOf({ ...module, parameters: declaredParameters(manifest) });
    const { values, sound } = checkParameters(module, parameters, layers, findings);
    const instance: Instance = { name, module, parameters, values, layers, outer: scope };
    instances.set(name, instance);
    if (sound) fillIn(instance, localName(own), user.chain);
    else failed.push(name);
  };

  const fillIn = (instance: Instance, local: string, chain: readonly LoadedModule[]) => {
    const { module, layers, values } = instance;
    const scope = instanceScope(instance, local);
    const use = layers.at(-1) as Layer;
    const filled = (document: SourceDocument) =>
      substituteParams(
        substituteVars(document, scope.vars, findings),
        {
          params: values,
          module: { name: local, path: module.path },
          use: { document: use.document, path: [...use.path, "package"] },
          given(param) {
            const at = placed(layers, ["params", param]);
            return valueAt(at.document.value, at.path) === undefined ? null : at;
          },
          paramOf: (kind, name) =>
            module.requirements.find((one) => one.type === kind && one.id === name)?.param ?? null,
        },
        findings,
      );
    for (const { kind, document } of module.templates) {
      documents.push({ kind, document: filled(document), scope });
    }
    // A folder of the project may use another one; a package is on its own.
    const packaged = /^\.\.\/|(^|\/)node_modules\//.test(module.path);
    const inner = {
      scope,
      files: packaged ? module.files : files,
      chain: [...chain, module],
      local,
    };
    expand({ ...inner, document: filled(module.manifest) });
  };

  /** A circle is told once, where the project begins it. */
  const reportCircle = (user: User, place: Layer, message: string) => {
    let { document, path } = place;
    for (let at: Scope | null = user.scope; at?.instance; at = at.instance.outer) {
      ({ document, path } = at.instance.layers.at(-1) as Layer);
    }
    const whole = { document, path: [...path, "package"], at: "value" } as const;
    findings.errors.push({ ...whole, code: "module-circle", message });
  };

  for (const { document, scope } of users) {
    expand({ document, scope, files, chain: [], local: null });
  }
  if (allNamed) checkOverrides(workspace, [...instances.keys(), ...switchedOff], failed, findings);
  return {
    documents,
    instances: [...instances.values()],
    texts: [...texts.values()],
    switchedOff: [...switchedOff],
    unread: { anything: !allNamed, instances: failed },
  };
}

/** What the workspace changes in instances that do not exist. Those in the ones that `failed` are not known. */
export function checkOverrides(
  workspace: SourceDocument | undefined,
  names: readonly string[],
  failed: readonly string[],
  findings: Findings,
): void {
  const overrides = valueAt(workspace?.value, ["modules"]);
  if (workspace === undefined || !isMapping(overrides)) return;
  for (const name of Object.keys(overrides)) {
    if (names.includes(name) || mayBeUnread({ anything: false, instances: failed }, name)) continue;
    const message = `there is no instance "${name}" to change${suggestion(name, names, "instances")}`;
    const place = { document: workspace, path: ["modules", name], at: "key" } as const;
    findings.errors.push({ ...place, code: "unknown-override", message });
  }
}
