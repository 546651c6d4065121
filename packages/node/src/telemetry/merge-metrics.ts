/** A project's metrics as Prometheus reads them. */
export interface ModuleMetrics {
  readonly module: string;
  readonly text: string;
}

/**
 * The metrics of several projects in one answer: each sample of ours says whose it is by the label
 * `module`; those of the process itself stand once.
 */
export function mergeMetrics(projects: readonly ModuleMetrics[]): string {
  const families = new Map<string, string[]>();
  for (const [index, { module, text }] of projects.entries()) {
    for (const lines of familiesOf(text)) {
      const name = lines[0]?.split(" ")[2] ?? "";
      const isOurs = name.startsWith("orgloop_");
      if (!isOurs && index > 0) continue;
      const merged = families.get(name) ?? lines.filter((line) => line.startsWith("#"));
      families.set(name, merged);
      for (const line of lines) {
        if (!line.startsWith("#")) merged.push(isOurs ? labelled(line, module) : line);
      }
    }
  }
  return `${[...families.values()].map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

/** The lines of each metric; every one begins with its HELP. */
function familiesOf(text: string): string[][] {
  const families: string[][] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("# HELP ")) families.push([]);
    if (line !== "") families.at(-1)?.push(line);
  }
  return families;
}

function labelled(sample: string, module: string): string {
  const label = `module="${module.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
  const at = sample.search(/[{ ]/);
  const rest = sample.slice(at);
  return rest.startsWith("{")
    ? `${sample.slice(0, at)}{${label},${rest.slice(1)}`
    : `${sample.slice(0, at)}{${label}}${rest}`;
}
