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

/** `twice` is told of an item whose name another one of its kind has, and of that. */
export function itemNames(
  declarations: Declarations,
  twice: (item: Declaration, first: Declaration) => void,
): ItemNames {
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

  const visible = new Map<string, string[]>();
  /** The names that may stand in `scope`, as they are written there. */
  const namesFor = (kind: ItemKind, { team }: Scope): string[] => {
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

  const unknown = (kind: ItemKind, name: string, scope: Scope): NameProblem => {
    const other = ITEM_KINDS.find((one) => one !== "route" && byName[one].has(name));
    const team = teams.get(name.slice(0, Math.max(0, name.indexOf("/"))));
    const code = "unknown-reference";
    if (other)
      return { code, message: `unknown ${kind} "${name}": "${name}" is ${article(other)}` };
    if (team === undefined || team === scope.team) {
      const hint = suggestion(name, namesFor(kind, scope), `${kind}s`);
      return { code, message: `unknown ${kind} "${name}"${hint}` };
    }
    const exported = namesFor(kind, scope).filter((one) => one.startsWith(`${team.name}/`));
    const hint = suggestion(name, exported, `exported ${kind}s`);
    const whose = `team "${team.name}"${ownersOf(team)}`;
    return { code, message: `unknown ${kind} "${name}" of ${whose}${hint}` };
  };

  const lookUp = (kind: ItemKind, name: string, scope: Scope): Found => {
    for (let here: Scope | null = scope; here !== null; here = here.parent) {
      const target = byName[kind].get(here.qualify(name));
      if (target === undefined) continue;
      if (isVisible(target, scope.team)) return { target };
      const team = target.scope.team as Team;
      const own = withoutTeam(target.name, team);
      const message = `${kind} "${target.name}" is not exported by team "${team.name}"${ownersOf(team)}: ask for "${own}" under exports in ${team.file}`;
      return { problem: { code: "not-exported", message } };
    }
    return { problem: unknown(kind, name, scope) };
  };

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
        found = lookUp(kind, name, scope);
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
      const hint = suggestion(name, own, "items");
      return {
        code: "unknown-export",
        message: `team "${team.name}" has nothing named "${name}"${hint}`,
      };
    },
  };
}

const article = (kind: ItemKind) => `${kind === "actor" ? "an" : "a"} ${kind}`;
