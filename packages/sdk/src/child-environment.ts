/** The names of the environment that a command gets: a list, or names with their values. */
export type ListedEnvironment =
  | readonly string[]
  | Readonly<Record<string, string | number | boolean>>;

/** What no program can do without, and where `orgloop` finds this one again. */
const ALWAYS = ["PATH", "HOME", "LANG", "TZ", "TMPDIR", "ORGLOOP_HOME", "ORGLOOP_PORT"];

/**
 * The environment of a script or command (`docs/configuration.md`, Commands and scripts): without
 * `env` the parent's and `own`, the ORGLOOP_ variables of its event; with it PATH, HOME, LANG, TZ,
 * TMPDIR, what `orgloop` needs, `own` and what is listed. What a map says goes over `own`.
 */
export function childEnvironment(
  parent: Readonly<Record<string, string | undefined>>,
  env: ListedEnvironment | undefined,
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  if (env === undefined) return { ...parent, ...own };
  const names = isList(env) ? [...ALWAYS, ...env] : ALWAYS;
  const given = Object.fromEntries(names.map((name) => [name, parent[name]]));
  if (isList(env)) return { ...given, ...own };
  const listed = Object.entries(env).map(([name, value]) => [name, String(value)]);
  return { ...given, ...own, ...Object.fromEntries(listed) };
}

const isList = (env: ListedEnvironment): env is readonly string[] => Array.isArray(env);
