import { isIP } from "node:net";
import type * as z from "zod";
import type { DocumentPath } from "../document-path.ts";
import { isMapping } from "../document-path.ts";
import { holdsReference } from "../holds-reference.ts";
import { nearest } from "../nearest.ts";
import { FORBIDDEN_KEYS } from "../yaml-values.ts";
import { isEventPath } from "./fields.ts";

type Report = (path: DocumentPath, expected: string, params?: Record<string, unknown>) => void;
type Check = (value: unknown, path: DocumentPath, report: Report) => void;

const isScalar = (value: unknown) =>
  value === null || ["string", "number", "boolean"].includes(typeof value);

const textOnly: Check = (value, path, report) => {
  if (typeof value !== "string") report(path, "text");
};

const affix: Check = (value, path, report) => {
  if (typeof value === "string") return;
  if (isMapping(value) && typeof value["equals-ignore-case"] === "string") {
    onlyKey(value, "equals-ignore-case", path, report);
  } else report(path, "text, or { equals-ignore-case: text }");
};

const wildcard: Check = (value, path, report) => {
  const form = "text in which * stands for any characters, not two * in a row";
  if (typeof value !== "string" || value.includes("**")) report(path, form);
};

const cidr: Check = (value, path, report) => {
  const form = "a network, e.g. 10.0.0.0/24";
  if (typeof value !== "string" || !(holdsReference(value) || isCidr(value))) report(path, form);
};

const exists: Check = (value, path, report) => {
  if (typeof value !== "boolean") report(path, "true or false");
};

const ANYTHING_BUT: Readonly<Record<string, Check>> = {
  prefix: textOrTexts,
  suffix: textOrTexts,
  "equals-ignore-case": textOrTexts,
  wildcard: textOrTexts,
};

const OPERATORS: Readonly<Record<string, Check>> = {
  prefix: affix,
  suffix: affix,
  "anything-but": anythingBut,
  numeric,
  exists,
  "equals-ignore-case": textOnly,
  wildcard,
  cidr,
};

function textOrTexts(value: unknown, path: DocumentPath, report: Report): void {
  const texts = Array.isArray(value) ? value : [value];
  if (texts.length === 0 || !texts.every((item) => typeof item === "string")) {
    report(path, "text, or a list of texts");
  }
}

function anythingBut(value: unknown, path: DocumentPath, report: Report): void {
  if (isMapping(value)) {
    operator(value, path, report, ANYTHING_BUT);
    return;
  }
  const values = Array.isArray(value) ? value : [value];
  if (values.length === 0 || !values.every((item) => ["string", "number"].includes(typeof item))) {
    report(
      path,
      "text, a number, a list of them, or { prefix | suffix | equals-ignore-case | wildcard: … }",
    );
  }
}

const COMPARISONS = ["=", "<", "<=", ">", ">="];

function numeric(value: unknown, path: DocumentPath, report: Report): void {
  const form = 'one or two comparisons, e.g. [">", 10, "<=", 99]';
  if (!Array.isArray(value) || (value.length !== 2 && value.length !== 4)) {
    report(path, form);
    return;
  }
  value.forEach((item, at) => {
    if (at % 2 === 0 && !COMPARISONS.includes(item)) {
      report([...path, at], `one of ${COMPARISONS.join(", ")}`);
    } else if (at % 2 === 1 && typeof item !== "number") report([...path, at], "a number");
  });
}

/** `10.0.0.0/24` or `fd00::/8`. */
export function isCidr(value: string): boolean {
  const [, address = "", bits = ""] = /^(.+)\/(\d{1,3})$/.exec(value) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(bits) <= (version === 4 ? 32 : 128);
}

function onlyKey(
  value: Record<string, unknown>,
  key: string,
  path: DocumentPath,
  report: Report,
): void {
  if (Object.keys(value).length !== 1) report(path, `a mapping with ${key} alone`);
}

function operator(
  value: Record<string, unknown>,
  path: DocumentPath,
  report: Report,
  operators: Readonly<Record<string, Check>>,
): void {
  const names = Object.keys(operators);
  const entries = Object.entries(value);
  if (entries.length !== 1) {
    report(path, `one operator in each item: ${names.join(", ")}`);
    return;
  }
  for (const [name, argument] of entries) {
    const check = Object.hasOwn(operators, name) ? operators[name] : undefined;
    if (check) check(argument, [...path, name], report);
    else {
      const near = nearest(name, names);
      const hint = near ? `did you mean "${near}"?` : `operators: ${names.join(", ")}`;
      report([...path, name], `unknown operator "${name}": ${hint}`, { code: "unknown-operator" });
    }
  }
}

function checkFilter(filter: Record<string, unknown>, path: DocumentPath, report: Report): void {
  for (const [key, value] of Object.entries(filter)) {
    const here = [...path, key];
    if (key === "$or") {
      if (!Array.isArray(value) || value.length < 2) report(here, "a list of two filters or more");
      else {
        value.forEach((item, at) => {
          if (isMapping(item)) checkFilter(item, [...here, at], report);
          else report([...here, at], "a filter: a mapping of event path to value");
        });
      }
    } else if (!isEventPath(key) || FORBIDDEN_KEYS.has(key)) {
      report(here, `"${key}" is no path in the event, such as payload.action`, {
        code: "invalid-path",
      });
    } else if (Array.isArray(value)) {
      if (value.length === 0) report(here, "a list of values or operators, at least one");
      value.forEach((item, at) => {
        if (isMapping(item)) operator(item, [...here, at], report, OPERATORS);
        else if (!isScalar(item)) report([...here, at], "a value or an operator");
      });
    } else if (!isScalar(value)) {
      report(here, "a value, or a list of values and operators such as [{ prefix: … }]");
    }
  }
}

/** Reports every wrong path, operator and argument of a `when.filter`. */
export function refineFilter(filter: Record<string, unknown>, context: z.RefinementCtx): void {
  checkFilter(filter, [], (path, message, params) => {
    context.addIssue({ code: "custom", path: [...path], message, ...(params && { params }) });
  });
}
