import { holdsReference, nearest } from "@orgloop/engine";
import { checkFilter, type FilterProblem } from "@orgloop/engine/match";
import type * as z from "zod";

function messageOf({ code, expected, found }: FilterProblem): string {
  if (code === "invalid-path") return `"${found}" is no path in the event, such as payload.action`;
  if (code !== "unknown-operator") return expected;
  const near = nearest(String(found), expected.split(", "));
  const hint = near ? `did you mean "${near}"?` : `operators: ${expected}`;
  return `unknown operator "${found}": ${hint}`;
}

/**
 * Reports every wrong path, operator and operand of a `when.filter`; what holds a `${…}` has its
 * form once it is resolved.
 */
export function refineFilter(filter: Record<string, unknown>, context: z.RefinementCtx): void {
  checkFilter(filter, (problem) => {
    const { path, code, found } = problem;
    if (code === "invalid-format" && holdsReference(String(found))) return;
    const named = code === "invalid-path" || code === "unknown-operator";
    context.addIssue({
      code: "custom",
      path: [...path],
      message: messageOf(problem),
      ...(named && { params: { code } }),
    });
  });
}
