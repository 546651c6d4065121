import { EVENT_ROOTS, TEMPLATE_ROOTS } from "@orgloop/sdk";
import { distance } from "fastest-levenshtein";

/** The roots of a filter's paths and of ordering keys. */
export const PATH_ROOTS: ReadonlySet<string> = new Set(EVENT_ROOTS);
/** The roots of a template (`docs/configuration.md`, Templates). */
export const ALL_ROOTS: ReadonlySet<string> = new Set([...EVENT_ROOTS, ...TEMPLATE_ROOTS]);
/** Those that `then.config` has: it is itself `config`. */
export const CONFIG_ROOTS: ReadonlySet<string> = without(ALL_ROOTS, "config");
/** Those that a prompt has: it is itself the prompt. */
export const PROMPT_ROOTS: ReadonlySet<string> = without(ALL_ROOTS, "prompt", "launch_prompt");

function without(roots: ReadonlySet<string>, ...taken: string[]): ReadonlySet<string> {
  return new Set([...roots].filter((root) => !taken.includes(root)));
}

/**
 * What to say of a path whose root is none of `roots`, with the nearest path that there is; null
 * where it is one of them.
 */
export function unknownRoot(path: string, roots: ReadonlySet<string>): string | null {
  const root = /^(?:\\.|[^.\\])*/.exec(path)?.[0] ?? path;
  const rest = path.slice(root.length);
  // `event` is the event itself: what comes behind it is a path in the event.
  if (root === "event" && roots.has(root) && rest !== "") {
    return unknownRoot(rest.slice(1), inEvent(roots));
  }
  if (roots.has(root)) return null;
  const names = [...roots].join(", ");
  return `"${root}" leads nowhere: did you mean "${meant(root, rest, roots)}"? Paths begin with ${names}`;
}

const inEvent = (roots: ReadonlySet<string>): ReadonlySet<string> =>
  without(roots, ...TEMPLATE_ROOTS);

function meant(root: string, rest: string, roots: ReadonlySet<string>): string {
  // Of a filter: `event.payload.x`, as templates may say it.
  if (root === "event" && rest !== "") return rest.slice(1);
  const near = [...roots]
    .map((name) => ({ name, steps: distance(root.toLowerCase(), name) }))
    // Short names are near to everything.
    .filter(({ name, steps }) => steps <= (name.length < 6 ? 1 : 2))
    .sort((left, right) => left.steps - right.steps)[0];
  return near === undefined ? `payload.${root}${rest}` : `${near.name}${rest}`;
}
