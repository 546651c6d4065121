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
import { type Placeholders, substituteParams } from "./substitute-params.ts";

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
  /**
   * The full local name of the instance that the document belongs to; null in the project itself.
   */
  readonly local: string | null;
}

/**
 * Expands every instance of every document that has `modules`; modules may use modules, in no
 * circle.
 */
export function expandModules(
  users: readonly LoadedDocument[],
  workspace: SourceDocument | undefined,
  files: ProjectFiles,
  findings: Findings,
): ExpandedModules {
  const expansion = new Expansion(workspace, files, findings);
  for (const { document, scope } of users) {
    expansion.expand({ document, scope, files, chain: [], local: null });
  }
  return expansion.result();
}

/** One `modules` entry. */
interface Use {
  readonly user: User;
  readonly value: Record<string, unknown>;
  readonly place: Layer;
}

/** Expands uses, each with what its module uses in turn, and collects what comes of them. */
class Expansion {
  readonly #workspace: SourceDocument | undefined;
  readonly #files: ProjectFiles;
  readonly #findings: Findings;
  readonly #load: ReturnType<typeof moduleLoader>;
  readonly #documents: LoadedDocument[] = [];
  readonly #instances = new Map<string, Instance>();
  readonly #texts = new Map<string, SourceDocument>();
  readonly #switchedOff = new Set<string>();
  readonly #failed: string[] = [];
  #allNamed = true;

  constructor(workspace: SourceDocument | undefined, files: ProjectFiles, findings: Findings) {
    this.#workspace = workspace;
    this.#files = files;
    this.#findings = findings;
    this.#load = moduleLoader(files, findings);
  }

  expand(user: User): void {
    const { document } = user;
    const uses = valueAt(document.value, ["modules"]);
    if (!Array.isArray(uses)) return;
    for (const [index, value] of uses.entries()) {
      if (!isMapping(value) || typeof value.package !== "string") continue;
      this.#expandUse({ user, value, place: { document, path: ["modules", index] } });
    }
  }

  result(): ExpandedModules {
    const instances = this.#instances;
    const switchedOff = [...this.#switchedOff];
    const names = [...instances.keys(), ...switchedOff];
    if (this.#allNamed) checkOverrides(this.#workspace, names, this.#failed, this.#findings);
    return {
      documents: this.#documents,
      instances: [...instances.values()],
      texts: [...this.#texts.values()],
      switchedOff,
      unread: { anything: !this.#allNamed, instances: this.#failed },
    };
  }

  #expandUse(use: Use): void {
    const { user, value, place } = use;
    const module = this.#moduleOf(use);
    if (module === null) {
      if (typeof value.name === "string") this.#failed.push(fullName(user, value.name));
      else this.#allNamed = false;
      return;
    }
    const own = typeof value.name === "string" ? value.name : module.name;
    const name = fullName(user, own);
    const over = valueAt(this.#workspace?.value, ["modules", name]);
    const enabled = (isMapping(over) ? over.enabled : undefined) ?? value.enabled;
    if (enabled === false) return void this.#switchedOff.add(name);
    const layers: Instance["layers"] =
      this.#workspace && isMapping(over)
        ? [{ document: this.#workspace, path: ["modules", name] }, place]
        : [place];
    if (this.#isTaken(name, use)) return;
    const { scope: outer } = user;
    const manifest = substituteVars(module.manifest, outer.vars, this.#findings);
    const parameters = parametersOf({ ...module, parameters: declaredParameters(manifest) });
    const { values, sound } = checkParameters(module, parameters, layers, this.#findings);
    const instance: Instance = { name, module, parameters, values, layers, outer };
    this.#instances.set(name, instance);
    if (sound) this.#fillIn(instance, localName(user, own), user.chain);
    else this.#failed.push(name);
  }

  /** The module of a use; null where it cannot be expanded, which is told. */
  #moduleOf({ user, value, place }: Use): LoadedModule | null {
    let module: LoadedModule;
    try {
      module = this.#load(String(value.package), dirname(user.document.absolute), user.files);
    } catch (error) {
      reportAt(this.#findings, place, ["package"], "module", messageOf(error));
      return null;
    }
    for (const text of [module.manifest, ...module.templates.map((one) => one.document)]) {
      this.#texts.set(text.absolute, text);
    }
    if (user.chain.includes(module)) {
      const circle = [...user.chain.slice(user.chain.indexOf(module)), module];
      const names = circle.map(({ name }) => name).join(" → ");
      this.#reportCircle(user, place, `modules use each other in a circle: ${names}`);
      return null;
    }
    return module.sound ? module : null;
  }

  /** Whether another instance has the name already, which is told. */
  #isTaken(name: string, { value, place }: Use): boolean {
    const first = this.#instances.get(name);
    if (first === undefined) return false;
    const { document: other, path: at } = first.layers.at(-1) as Layer;
    const { line, column } = other.locate(at);
    const where = `${other.file}:${line}:${column}`;
    const message = `there is already an instance "${name}", at ${where}: give one of them another name`;
    this.#failed.push(name);
    const field = value.name === undefined ? "package" : "name";
    reportAt(this.#findings, place, [field], "duplicate-instance", message);
    return true;
  }

  #fillIn(instance: Instance, local: string, chain: readonly LoadedModule[]): void {
    const { module, layers, values } = instance;
    const scope = instanceScope(instance, local);
    const use = layers.at(-1) as Layer;
    const placeholders: Placeholders = {
      params: values,
      module: { name: local, path: module.path },
      use: { document: use.document, path: [...use.path, "package"] },
      given(param) {
        const at = placed(layers, ["params", param]);
        return valueAt(at.document.value, at.path) === undefined ? null : at;
      },
      paramOf: (kind, name) =>
        module.requirements.find((one) => one.type === kind && one.id === name)?.param ?? null,
    };
    const findings = this.#findings;
    const filled = (document: SourceDocument) =>
      substituteParams(substituteVars(document, scope.vars, findings), placeholders, findings);
    for (const { kind, document } of module.templates) {
      this.#documents.push({ kind, document: filled(document), scope });
    }
    // A folder of the project may use another one; a package is on its own.
    const packaged = /^\.\.\/|(^|\/)node_modules\//.test(module.path);
    const files = packaged ? module.files : this.#files;
    const inner = { scope, files, chain: [...chain, module], local };
    this.expand({ ...inner, document: filled(module.manifest) });
  }

  /** A circle is told once, where the project begins it. */
  #reportCircle(user: User, place: Layer, message: string): void {
    let outermost = place;
    for (let at: Scope | null = user.scope; at?.instance; at = at.instance.outer) {
      outermost = at.instance.layers.at(-1) as Layer;
    }
    reportAt(this.#findings, outermost, ["package"], "module-circle", message);
  }
}

function reportAt(
  findings: Findings,
  place: Layer,
  inside: DocumentPath,
  code: string,
  message: string,
): void {
  const { document, path } = place;
  findings.errors.push({ document, path: [...path, ...inside], at: "value", code, message });
}

const localName = ({ local }: User, own: string): string =>
  local === null ? own : prefixed(local, own);

function fullName(user: User, own: string): string {
  const { team } = user.scope;
  return team === null ? localName(user, own) : `${team.name}/${localName(user, own)}`;
}

/**
 * What the workspace changes in instances that do not exist. Those in the ones that `failed` are
 * not known.
 */
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
