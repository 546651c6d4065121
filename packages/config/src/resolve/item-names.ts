import { suggestion } from "@orgloop/engine";
import { type Declaration, type Declarations, ITEM_KINDS, type ItemKind } from "./declarations.ts";
import { ownersOf, type Scope, type Team } from "./scope.ts";

interface NameProblem {
  readonly code: string;
  readonly message: string;
}

/** What a name stands for, or what is wrong with it. */
interface Found {
  readonly target?: Declaration;
  readonly problem?: NameProblem;
}

/** Every item by its full name, and who may refer to it. */
export interface ItemNames {
  find(kind: ItemKind, name: string, scope: Scope): Found;
  /** Whether an item has that full name. */
  has(kind: ItemKind, name: string): boolean;
  /** What is wrong with an entry of a team's `exports`. */
  checkExport(team: Team, name: string): NameProblem | undefined;
}

/** The name of an item inside its team. */
const withoutTeam = (name: string, team: Team) => name.slice(team.name.length + 1);

const isVisible = (item: Declaration, from: Team | null) => {
  const { team } = item.scope;
  return team === null || team === from || team.exports.has(withoutTeam(item.name, team));
};

/** Every item by its kind and its full name, and the teams by theirs. */
interface NamedItems {
  readonly byName: Readonly<Record<ItemKind, ReadonlyMap<string, Declaration>>>;
  readonly teams: ReadonlyMap<string, Team>;
}

/** `twice` is told of an item whose name another one of its kind has, and of that. */
export function itemNames(
  declarations: Declarations,
  twice: (item: Declaration, first: Declaration) => void,
): ItemNames {
  const items = namedItems(declarations, twice);
  const { byName } = items;
  const namesFor = visibleNames(items);
  /** What was looked up: thousands of routes refer to the same few items. */
  const known: Record<ItemKind, Map<Scope, Map<string, Found>>> = {
    source: new Map(),
    actor: new Map(),
    route: new Map(),
    transform: new Map(),
    logger: new Map(),
  };

  return {
    find(kind, name, scope) {
      let here = known[kind].get(scope);
      if (here === undefined) {
        here = new Map();
        known[kind].set(scope, here);
      }
      let found = here.get(name);
      if (found === undefined) {
        found = lookUp(items, namesFor, kind, name, scope);
        here.set(name, found);
      }
      return found;
    },
    has: (kind, name) => byName[kind].has(name),
    checkExport(team, name) {
      const full = `${team.name}/${name}`;
      if (ITEM_KINDS.some((kind) => byName[kind].has(full))) return undefined;
      const own = ITEM_KINDS.flatMap((kind) =>
        [...byName[kind].values()]
          .filter((item) => item.scope.team === team)
          .map((item) => withoutTeam(item.name, team)),
      );
      const message = `team "${team.name}" has nothing named "${name}"${suggestion(name, own, "items")}`;
      return { code: "unknown-export", message };
    },
  };
}

function namedItems(
  declarations: Declarations,
  twice: (item: Declaration, first: Declaration) => void,
): NamedItems {
  const byName = {} as Record<ItemKind, Map<string, Declaration>>;
  const teams = new Map<string, Team>();
  for (const kind of ITEM_KINDS) {
    byName[kind] = new Map();
    for (const item of declarations[kind] as Declaration[]) {
      const first = byName[kind].get(item.name);
      if (first === undefined) byName[kind].set(item.name, item);
      else twice(item, first);
      if (item.scope.team) teams.set(item.scope.team.name, item.scope.team);
    }
  }
  return { byName, teams };
}

/** The names that may stand in a scope, as they are written there. */
type NamesFor = (kind: ItemKind, scope: Scope) => readonly string[];

function visibleNames({ byName }: NamedItems): NamesFor {
  const visible = new Map<string, string[]>();
  return (kind, { team }) => {
    const key = `${kind} ${team?.name ?? ""}`;
    let names = visible.get(key);
    if (names === undefined) {
      names = [...byName[kind].values()]
        .filter((item) => isVisible(item, team))
        .map((item) =>
          team !== null && item.scope.team === team ? withoutTeam(item.name, team) : item.name,
        );
      visible.set(key, names);
    }
    return names;
  };
}

function lookUp(
  items: NamedItems,
  namesFor: NamesFor,
  kind: ItemKind,
  name: string,
  scope: Scope,
): Found {
  for (let here: Scope | null = scope; here !== null; here = here.parent) {
    const target = items.byName[kind].get(here.qualify(name));
    if (target === undefined) continue;
    if (isVisible(target, scope.team)) return { target };
    const team = target.scope.team as Team;
    const own = withoutTeam(target.name, team);
    const message = `${kind} "${target.name}" is not exported by team "${team.name}"${ownersOf(team)}: ask for "${own}" under exports in ${team.file}`;
    return { problem: { code: "not-exported", message } };
  }
  const message = `unknown ${kind} "${name}"${unknown(items, namesFor, kind, name, scope)}`;
  return { problem: { code: "unknown-reference", message } };
}

/** What to say of a name that nothing has. */
function unknown(
  { byName, teams }: NamedItems,
  namesFor: NamesFor,
  kind: ItemKind,
  name: string,
  scope: Scope,
): string {
  const other = ITEM_KINDS.find((one) => one !== "route" && byName[one].has(name));
  if (other) return `: "${name}" is ${article(other)}`;
  const team = teams.get(name.slice(0, Math.max(0, name.indexOf("/"))));
  if (team === undefined || team === scope.team) {
    return suggestion(name, namesFor(kind, scope), `${kind}s`);
  }
  const exported = namesFor(kind, scope).filter((one) => one.startsWith(`${team.name}/`));
  const hint = suggestion(name, exported, `exported ${kind}s`);
  return ` of team "${team.name}"${ownersOf(team)}${hint}`;
}

const article = (kind: ItemKind) => `${kind === "actor" ? "an" : "a"} ${kind}`;
