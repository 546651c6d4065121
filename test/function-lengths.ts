import { parseAst } from "vitest/node";

interface FunctionLength {
  /** Its own name, or that of what holds it. */
  readonly name: string;
  /** From its first line to its closing brace, with the functions inside it. */
  readonly lines: number;
}

/** How long each function of a TypeScript source is, in the order in which they begin. */
export function functionLengths(text: string): readonly FunctionLength[] {
  const found: FunctionLength[] = [];
  const visit = (node: unknown, holder: string): void => {
    if (Array.isArray(node)) for (const item of node) visit(item, holder);
    if (!isNode(node)) return;
    const name = node.id?.name ?? node.key?.name ?? holder;
    if (node.type.includes("Function"))
      found.push({ name, lines: text.slice(node.start, node.end).split("\n").length });
    for (const part of Object.values(node)) visit(part, name);
  };
  visit(parseAst(text, { lang: "ts" }).body, "");
  return found;
}

/** A node of the syntax tree (ESTree with TypeScript's additions). */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly id?: { readonly name?: string } | null;
  readonly key?: { readonly name?: string } | null;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value) && "type" in value;
}
