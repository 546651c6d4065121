import { isMapping, type OrgLoopEvent, type RouteSpec } from "@orgloop/sdk";

/*
 * The rules of `when` by the letter, written without the matcher's own parts and without a thought
 * for time: what it is compared with.
 */

/** A leaf, and which element of which array it was found in: `path of the array` → index. */
interface Found {
  readonly leaf: unknown;
  readonly within: ReadonlyMap<string, number>;
}

/**
 * Every leaf at a path: at an array its index, or any of its elements. Which of the two a step is
 * at one array, it is for all paths that take it there.
 */
function found(value: unknown, path: readonly string[], at = "", within = new Map()): Found[] {
  const [segment, ...rest] = path;
  if (Array.isArray(value)) {
    const mayIndex = segment !== undefined && /^\d$/.test(segment);
    const taken = (as: number) =>
      new Map([...within, ...(mayIndex ? [[`${at}#${segment}`, as] as const] : [])]);
    const named = mayIndex ? value[Number(segment)] : undefined;
    const direct = named === undefined ? [] : found(named, rest, `${at}/${segment}`, taken(0));
    const each = value.flatMap((element, index) =>
      found(element, path, `${at}/${index}`, taken(1).set(at, index)),
    );
    return [...direct, ...each];
  }
  if (isMapping(value)) {
    if (segment === undefined || !Object.hasOwn(value, segment)) return [];
    return found(value[segment], rest, `${at}/${segment}`, within);
  }
  return segment === undefined && value !== undefined ? [{ leaf: value, within }] : [];
}

/** Whether `value` is `text`, or begins with it, each character in a case of its own. */
function likeInAnyCase(text: string, value: string, rest: (left: string) => boolean): boolean {
  const [char, ...others] = text;
  if (char === undefined) return rest(value);
  return [char, char.toLowerCase(), char.toUpperCase()].some(
    (form) =>
      value.startsWith(form) && likeInAnyCase(others.join(""), value.slice(form.length), rest),
  );
}

function likeWildcard(pattern: string, value: string): boolean {
  const [char = "", next = ""] = pattern;
  if (char === "") return value === "";
  if (char === "*") {
    return Array.from({ length: value.length + 1 }, (_, at) => value.slice(at)).some((left) =>
      likeWildcard(pattern.slice(1), left),
    );
  }
  const escaped = char === "\\" && "*\\".includes(next) && next !== "";
  const literal = escaped ? next : char;
  return value[0] === literal && likeWildcard(pattern.slice(escaped ? 2 : 1), value.slice(1));
}

const networks: Readonly<Record<string, (value: string) => boolean>> = {
  "10.0.0.0/24": (value) => /^10\.0\.0\.\d+$/.test(value),
  "10.0.0.9/8": (value) => /^10\.\d+\.\d+\.\d+$/.test(value),
  "fd00::/8": (value) => /^fd[0-9a-f]{2}:/.test(value),
};

const isAnyOf = (operand: unknown, test: (one: string) => boolean) =>
  (Array.isArray(operand) ? operand : [operand]).some((one) => test(String(one)));

function textPasses(name: string, operand: unknown, leaf: unknown): boolean {
  if (typeof leaf !== "string") return false;
  const blind = isMapping(operand) ? operand["equals-ignore-case"] : undefined;
  if (name === "prefix" && blind !== undefined) {
    return likeInAnyCase(String(blind), leaf, () => true);
  }
  if (name === "suffix" && blind !== undefined) {
    return Array.from({ length: leaf.length + 1 }, (_, at) => leaf.slice(at)).some((end) =>
      likeInAnyCase(String(blind), end, (left) => left === ""),
    );
  }
  return isAnyOf(operand, (text) => {
    if (name === "prefix") return leaf.startsWith(text);
    if (name === "suffix") return leaf.endsWith(text);
    if (name === "wildcard") return likeWildcard(text, leaf);
    return likeInAnyCase(text, leaf, (left) => left === "");
  });
}

function leafPasses(element: unknown, leaf: unknown): boolean {
  if (!isMapping(element)) return leaf === element;
  const [[name, operand] = ["", undefined]] = Object.entries(element);
  if (name === "exists") return operand === true;
  if (name === "cidr")
    return typeof leaf === "string" && networks[String(operand)]?.(leaf) === true;
  if (name === "numeric") {
    const [one, bound, other, limit] = operand as [string, number, string?, number?];
    const holds = (sign: string, than: number) => {
      if (typeof leaf !== "number") return false;
      if (sign === "!=") return leaf !== than;
      if (sign.includes("=") && leaf === than) return true;
      return (sign.startsWith("<") && leaf < than) || (sign.startsWith(">") && leaf > than);
    };
    return holds(one, bound) && (other === undefined || holds(other, Number(limit)));
  }
  if (name !== "anything-but") return textPasses(name, operand, leaf);
  if (!isMapping(operand)) return !(Array.isArray(operand) ? operand : [operand]).includes(leaf);
  const [[inner, refused] = ["", undefined]] = Object.entries(operand);
  return !textPasses(inner, refused, leaf);
}

type Pair = readonly [path: string, wanted: unknown];

function isExactly(event: unknown, path: string, wanted: unknown): boolean {
  const at = path.split(".").reduce<unknown>((node, segment) => {
    const isNode = typeof node === "object" && node !== null && Object.hasOwn(node, segment);
    return isNode ? Reflect.get(node, segment) : undefined;
  }, event);
  return at === wanted;
}

/** Every choice of one leaf a condition, so that no array is entered at two of its elements. */
function jointly(
  event: unknown,
  pairs: readonly Pair[],
  within = new Map<string, number>(),
): boolean {
  const [pair, ...rest] = pairs;
  if (pair === undefined) return true;
  const [path, wanted] = pair;
  if (!Array.isArray(wanted)) {
    return isExactly(event, path, wanted) && jointly(event, rest, within);
  }
  const leaves = found(event, path.split("."));
  if (leaves.length === 0) {
    const mayBeAbsent = wanted.some((one) => isMapping(one) && one.exists === false);
    return mayBeAbsent && jointly(event, rest, within);
  }
  return leaves.some(({ leaf, within: own }) => {
    if ([...own].some(([array, index]) => (within.get(array) ?? index) !== index)) return false;
    if (!wanted.some((element) => leafPasses(element, leaf))) return false;
    return jointly(event, rest, new Map([...within, ...own]));
  });
}

export function naiveFilter(
  event: unknown,
  filter: Readonly<Record<string, unknown>>,
  above: readonly Pair[] = [],
): boolean {
  const { $or, ...entries } = filter;
  const pairs = [...above, ...Object.entries(entries)];
  if (!Array.isArray($or)) return jointly(event, pairs);
  return $or.some((branch) => naiveFilter(event, branch, pairs));
}

/** The names of the routes that take the event. */
export function naiveMatch(routes: readonly RouteSpec[], event: OrgLoopEvent): readonly string[] {
  return routes
    .filter(({ when }) => when.source.includes(event.source) && when.events.includes(event.type))
    .filter(({ when }) => naiveFilter(event, when.filter ?? {}))
    .map(({ name }) => name);
}
