import {
  type DocumentPath,
  holdsReference,
  nearest,
  show,
  suggestion,
  valueAt,
} from "@orgloop/engine";
import { DURATION_PATTERN, RATE_PATTERN } from "@orgloop/sdk";
import type { Findings } from "../resolve/findings.ts";
import { mergeLayers, placed } from "../resolve/layer.ts";
import type { Layer } from "../resolve/source-document.ts";
import type { ParameterInput, RequirementInput } from "../schema/module-schema.ts";
import type { LoadedModule } from "./load-module.ts";

/** A parameter, and the connector that it names where it names one. */
export interface Parameter extends ParameterInput {
  readonly requirement?: RequirementInput;
}

/** The parameters of a module: those it declares, and those that `requires` alone names. */
export function parametersOf({ parameters, requirements }: LoadedModule): Map<string, Parameter> {
  const all = new Map<string, Parameter>(parameters.map((one) => [one.name, one]));
  for (const requirement of requirements) {
    const { param: name, type, required } = requirement;
    if (name === undefined) continue;
    const declared = all.get(name);
    all.set(name, {
      name,
      ...(declared ?? { required: required ?? true }),
      type: declared && declared.type !== "string" ? declared.type : type,
      requirement,
    });
  }
  return all;
}

const EXPECTED: Readonly<Record<ParameterInput["type"], string>> = {
  string: "text",
  number: "a number",
  boolean: "true or false",
  duration: "a duration: a whole number and ms, s, m, h or d, e.g. 30s",
  rate: "a rate: a whole number above 0 and /s, /m or /h, e.g. 100/s",
  enum: "one of its values",
  list: "a list",
  source: "the id of a source",
  actor: "the id of an actor",
};

/** What is expected instead of `value`; undefined where it fits. The environment gives text. */
function mismatch({ type, values }: Parameter, value: unknown): string | undefined {
  const text = typeof value === "string" ? value : undefined;
  const open = text !== undefined && holdsReference(text);
  const fits: Readonly<Record<ParameterInput["type"], () => boolean>> = {
    string: () => text !== undefined,
    number: () => typeof value === "number",
    boolean: () => typeof value === "boolean",
    duration: () => text !== undefined && (open || DURATION_PATTERN.test(text)),
    rate: () =>
      text !== undefined && (open || (RATE_PATTERN.test(text) && Number.parseInt(text, 10) > 0)),
    enum: () => open || (values ?? []).some((one) => one === value),
    list: () => Array.isArray(value),
    source: () => text !== undefined && text !== "" && !open,
    actor: () => text !== undefined && text !== "" && !open,
  };
  if (!Object.hasOwn(fits, type) || fits[type]()) return undefined;
  return type === "enum" ? `one of ${(values ?? []).join(", ")}` : EXPECTED[type];
}

/**
 * The values of an instance's parameters: what `layers` (the strongest first) give, else the
 * defaults.
 */
export interface ParameterValues {
  readonly values: ReadonlyMap<string, unknown>;
  /** False where there are errors, which are reported. */
  readonly sound: boolean;
}

/**
 * Checks what a use of `module` gives: wrong, missing and unknown parameters are errors at the line
 * of the use.
 */
export function checkParameters(
  module: LoadedModule,
  parameters: ReadonlyMap<string, Parameter>,
  layers: readonly [Layer, ...Layer[]],
  findings: Findings,
): ParameterValues {
  const before = findings.errors.length;
  const report = (path: DocumentPath, at: "key" | "value", code: string, message: string) =>
    findings.errors.push({ ...placed(layers, path), at, code, message });
  const given = mergeLayers(
    layers.map(({ document, path }) => ({ document, path: [...path, "params"] })),
  );
  const names = [...parameters.keys()];
  for (const name of Object.keys(given)) {
    if (parameters.has(name)) continue;
    const hint = suggestion(name, names, "parameters");
    const message = `module "${module.name}" has no parameter "${name}"${hint}`;
    report(["params", name], "key", "unknown-parameter", message);
  }
  const values = new Map<string, unknown>();
  for (const [name, parameter] of parameters) {
    const value = valueAt(given, [name]) ?? undefined;
    const expected = parameter.type === "enum" ? mismatch(parameter, {}) : EXPECTED[parameter.type];
    if (value === undefined) {
      if (parameter.default !== undefined) checkDefault(module, parameter, findings);
      else if (parameter.required) {
        const message = `module "${module.name}" needs the parameter "${name}": ${expected}`;
        // A mistyped one is told already.
        if (Object.keys(given).some((one) => !parameters.has(one) && nearest(one, [name])))
          continue;
        report(["package"], "value", "missing-parameter", message);
      }
      const fallback = parameter.required ? undefined : parameter.requirement?.id;
      values.set(name, parameter.default ?? fallback);
      continue;
    }
    const wanted = mismatch(parameter, value);
    if (wanted !== undefined) {
      const near =
        parameter.type === "enum" && typeof value === "string"
          ? nearest(value, (parameter.values ?? []).map(String))
          : undefined;
      const hint = near === undefined ? "" : `: did you mean "${near}"?`;
      const message = `parameter "${name}": expected ${wanted}, found ${show(value, [parameter.secret ? "secret" : name])}${hint}`;
      report(["params", name], "value", "wrong-parameter", message);
    }
    values.set(name, value);
  }
  return { values, sound: findings.errors.length === before };
}

/** A default that does not fit is the module's own error, reported at it. */
function checkDefault(module: LoadedModule, parameter: Parameter, findings: Findings): void {
  const wanted = mismatch(parameter, parameter.default);
  if (wanted === undefined) return;
  const list = valueAt(module.manifest.value, ["parameters"]);
  const index = Array.isArray(list) ? list.findIndex((one) => one?.name === parameter.name) : -1;
  findings.errors.push({
    document: module.manifest,
    path: ["parameters", index, "default"],
    at: "value",
    code: "wrong-parameter",
    message: `parameter "${parameter.name}": expected ${wanted}, found ${show(parameter.default)}`,
  });
}
