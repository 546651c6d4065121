export const EXEC_CONNECTOR = "@orgloop/connector-exec";

/**
 * The `env` of a script or command as the Topology has it: a list of names is one of references, so
 * that every host finds their values where it finds those of `${NAME}`: `.env`, the environment, a
 * stage's secrets.
 */
export function listedEnvironment(env: unknown): unknown {
  if (!Array.isArray(env)) return env;
  return Object.fromEntries(env.map((name) => [String(name), `\${${name}}`]));
}
