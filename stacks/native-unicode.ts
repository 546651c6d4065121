/** All code points as text; a high surrogate before a low one would be read as one. `units`: code units of each. */
const allText = () => [
  { first: 0, units: 1, text: textOf(0, 0xdc00) },
  { first: 0xdc00, units: 1, text: textOf(0xdc00, 0x10000) },
  { first: 0x10000, units: 2, text: textOf(0x10000, 0x110000) },
];
let texts: ReturnType<typeof allText> | undefined;

/**
 * Stands for tables of Unicode's properties in functions, since Node has them: by name, functions that make a table out of triples
 * (first, last, stride). A script that this Node's Unicode does not know yet has no characters.
 */
export function nativeTables<Table>(
  prefix: "" | "Script=",
  names: readonly string[],
  table: (triples: Uint32Array) => Table,
): Readonly<Record<string, () => Table>> {
  return Object.fromEntries(
    names.map((name) => [name, () => table(Uint32Array.from(ranges(`${prefix}${name}`)))]),
  );
}

function ranges(property: string): readonly number[] {
  const wanted = propertyRegex(property);
  if (wanted === undefined) return [];
  texts ??= allText();
  return texts.flatMap(({ first, units, text }) =>
    [...text.matchAll(wanted)].flatMap(({ index, 0: run }) => {
      const from = first + index / units;
      return [from, from + run.length / units - 1, 1];
    }),
  );
}

function propertyRegex(property: string): RegExp | undefined {
  try {
    return new RegExp(`\\p{${property}}+`, "gu");
  } catch {
    return undefined;
  }
}

function textOf(first: number, end: number): string {
  const parts: string[] = [];
  for (let at = first; at < end; at += 0x1000) {
    const until = Math.min(at + 0x1000, end);
    parts.push(String.fromCodePoint(...Array.from({ length: until - at }, (_, n) => at + n)));
  }
  return parts.join("");
}
