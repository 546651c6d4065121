/**
 * `NAME=value`, perhaps after `export`; a value in quotes may go over several lines, and what comes
 * behind it is not read.
 */
const ENTRY =
  /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=(?:[ \t]*(?:'([^']*)'|"([^"]*)"|`([^`]*)`)[^\n]*|([^\n]*))/gm;
const COMMENT = /\s#.*$/;

/**
 * The variables of a `.env` file, as Node's `parseEnv` reads them, but that a `#` begins a comment
 * only behind white space: `abc#def` is a value. A byte order mark is left out. `\n` is a line
 * break in double quotes alone.
 */
export function parseDotenv(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  const lines = text.replace(/^\uFEFF/, "").replaceAll(/\r\n?/g, "\n");
  for (const [, name = "", single, double, back, plain = ""] of lines.matchAll(ENTRY)) {
    const quoted = single ?? double?.replaceAll("\\n", "\n") ?? back;
    variables[name] = quoted ?? plain.replace(COMMENT, "").trim();
  }
  return variables;
}
