import type {
  ItemInputs,
  KnownRoute,
  KnownTargets,
  LinkedRoute,
  RouteLinks,
} from "./declarations.ts";
import { valueAt } from "./document-path.ts";
import type { LoadedDocument } from "./load-documents.ts";
import type { Scope } from "./scope.ts";
import type { Layer } from "./source-document.ts";

/** What a route may refer to. */
export type Target = "source" | "actor" | "transform";

/** What a name that a route refers to stood for: its kind, the name, the full name, and what a source emits. */
export type Meaning = readonly [Target, string, string, readonly string[] | null];

/** What was found out of a file's routes, and what it rests on beside the text and the scope. */
export interface RememberedRoutes {
  readonly meanings: readonly Meaning[];
  /** Full names. */
  readonly names: readonly string[];
  /** Each with its route's index, as it is written. */
  readonly promptFiles: readonly (readonly [number, string])[];
}

/** What the routes of a file share. */
export interface RecalledFile {
  readonly document: LoadedDocument;
  readonly targets: KnownTargets;
  readonly promptFiles: ReadonlyMap<number, string>;
  full(kind: Target, name: string): string;
}

/** A file of which nothing changed that its routes rest on. */
export function recalledFile(document: LoadedDocument, known: RememberedRoutes): RecalledFile {
  const { meanings, promptFiles } = known;
  const ofKind = (wanted: Target) =>
    new Map(meanings.flatMap(([kind, name, full]) => (kind === wanted ? [[name, full]] : [])));
  const full = { source: ofKind("source"), actor: ofKind("actor"), transform: ofKind("transform") };
  return {
    document,
    targets: {
      sources: [...full.source.values()],
      actors: [...full.actor.values()],
      transforms: [...full.transform.values()],
    },
    promptFiles: new Map(promptFiles),
    full: (kind, name) => full[kind].get(name) ?? name,
  };
}

/** Has its name and its place; whatever else it is asked for is looked up: most commands ask for little, and there are thousands. */
export class RecalledRoute implements LinkedRoute, KnownRoute {
  readonly name: string;
  readonly #file: RecalledFile;
  readonly #index: number;

  constructor(name: string, file: RecalledFile, index: number) {
    this.name = name;
    this.#file = file;
    this.#index = index;
  }

  get kind(): "route" {
    return "route";
  }

  /** A file with one that is switched off is not remembered. */
  get enabled(): boolean {
    return true;
  }

  get known(): KnownRoute {
    return this;
  }

  get scope(): Scope {
    return this.#file.document.scope;
  }

  get layers(): readonly [Layer] {
    return [{ document: this.#file.document.document, path: ["routes", this.#index] }];
  }

  get value(): ItemInputs["route"] {
    const [{ document, path }] = this.layers;
    return valueAt(document.value, path) as ItemInputs["route"];
  }

  get links(): RouteLinks {
    const { when, then, transforms } = this.value;
    const { full } = this.#file;
    return {
      sources: [when.source].flat().map((name) => full("source", name)),
      actor: full("actor", then.actor),
      transforms: (transforms ?? []).map(({ ref }) => full("transform", ref)),
      awaitsActor: false,
    };
  }

  get promptFile(): string | null {
    return this.#file.promptFiles.get(this.#index) ?? null;
  }

  get targets(): KnownTargets {
    return this.#file.targets;
  }
}
