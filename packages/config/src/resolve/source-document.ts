import type { DocumentPath } from "@orgloop/engine";
import {
  indexPositions,
  lineCounter,
  type Place,
  type PositionIndex,
} from "../read/yaml/positions.ts";

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** A value of a document: one of several that are laid over each other. */
export interface Layer {
  readonly document: SourceDocument;
  readonly path: DocumentPath;
}

/** What an instance of a module puts into the module's files. */
export interface InstanceOrigin {
  /** What the file holds, `{{ params.x }}` and all. */
  readonly raw: unknown;
  /**
   * Where what stands at `path` of the filled-in file comes from a use of the module: its param;
   * null where it does not.
   */
  fromUse(path: DocumentPath): Layer | null;
  /** Where the use names the module. */
  readonly use: Layer;
}

/** One file of the configuration, read. Positions are computed when the first one is asked for. */
export interface SourceDocument {
  /** Relative to the project, with `/`; absolute for a file outside it. */
  readonly file: string;
  readonly absolute: string;
  readonly text: string;
  /** What it holds, `${vars.x}` replaced. Undefined where it could not be read. */
  readonly value: unknown;
  /** Of a module's file: the instance that filled it in. */
  readonly instance?: InstanceOrigin;
  position(offset: number): Position;
  /**
   * Where the value at `path` (or its key) stands; the nearest enclosing one where there is none.
   */
  locate(path: DocumentPath, at?: "key" | "value"): Position;
  /** The path of what stands at an offset; the nearest enclosing one where nothing does. */
  pathAt(offset: number): DocumentPath;
  /** Offsets of the value at `path` itself; undefined where there is none. */
  place(path: DocumentPath): Place | undefined;
}

/** `readable: false` for a text that is not valid YAML: everything stands at its start. */
export function sourceDocument(
  file: string,
  absolute: string,
  text: string,
  value: unknown,
  readable = true,
): SourceDocument {
  let index: PositionIndex | undefined;
  let position: ((offset: number) => Position) | undefined;
  const at = (offset: number): Position => {
    position ??= lineCounter(text);
    return position(offset);
  };
  const indexed = (): PositionIndex => {
    index ??= indexPositions(text);
    return index;
  };
  const place = (path: DocumentPath): Place | undefined =>
    readable ? indexed().place(path) : undefined;
  return {
    file,
    absolute,
    text,
    value,
    position: at,
    place,
    pathAt: (offset) => (readable ? indexed().pathAt(offset) : []),
    locate(path, end = "value") {
      for (let length = path.length; length >= 0; length--) {
        const found = place(path.slice(0, length));
        if (found === undefined) continue;
        const wanted = end === "key" && length === path.length ? found.key : found.start;
        const offset = wanted >= 0 ? wanted : Math.max(found.key, found.start);
        if (offset >= 0) return at(offset);
      }
      return { line: 1, column: 1 };
    },
  };
}
