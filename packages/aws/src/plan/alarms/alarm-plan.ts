import type { RouteSpec } from "@orgloop/sdk";
import { shardOf } from "../shards.ts";
import { type AlarmText, anyOf, type CompositeAlarm, type MetricAlarm } from "./alarm.ts";
import { alarmTree } from "./alarm-tree.ts";
import { type AlarmedStage, actorAlarms, failingAlarm } from "./item-alarms.ts";
import { letterAlarms, platformAlarms } from "./platform-alarms.ts";
import { historyAlarms, receiverAlarms, routerAlarms } from "./router-alarms.ts";
import { type AlarmedPoller, sourceAlarms, tickAlarms } from "./tick-alarms.ts";

/** What of a stage is watched. */
export interface Alarmed extends AlarmedStage {
  /** Ids of those with a queue, also of those that drain or are waited for. */
  readonly actors: readonly string[];
  readonly routesTo: (actor: string) => readonly RouteSpec[];
  /** The deliver functions, by their key, with the actors that they serve. */
  readonly deliverers: readonly { readonly key: string; readonly ids: readonly string[] }[];
  readonly pollers: readonly (AlarmedPoller & { readonly key: string })[];
  readonly receives: boolean;
  /** Of the account. */
  readonly concurrency: number;
  /** Stacks of the alarms of items. */
  readonly shards: number;
}

/** Alarms that are made together, in this order. */
export interface AlarmSet {
  readonly metric: readonly MetricAlarm[];
  readonly composite: readonly CompositeAlarm[];
}

/** In the order in which they are made: an alarm on alarms needs those that it names. */
export interface AlarmPlan {
  /** Of actors and functions, by their stack. */
  readonly items: ReadonlyMap<number, AlarmSet>;
  /** Of the whole stage. */
  readonly stage: AlarmSet;
  /** What tells of actors: a few of them share a message. */
  readonly actors: readonly CompositeAlarm[];
}

/** Groups of actors that share an alarm: about five of them at 500. */
const ACTOR_GROUPS = 100;
/** Fewer stacks with ill actors in them are several causes. */
const FEWEST_MANY = 3;

/** Every alarm of a stage: one that wakes somebody for each cause, and those that it stands on. */
export function alarmPlan(of: Alarmed): AlarmPlan {
  const nameOf = of.names.alarm;
  const items = itemAlarms(of);
  const many = manyAlarm(of, [...items.keys()], nameOf);
  const stage = stageAlarms(of, [...items.values()], nameOf);
  return {
    items,
    stage: { ...stage, composite: [...stage.composite, ...many] },
    actors: actorGroups(of, many.length > 0 ? "upstream-of-actors" : "platform", nameOf),
  };
}

type NameOf = (subject: string) => string;

function itemAlarms(of: Alarmed): ReadonlyMap<number, AlarmSet> {
  const nameOf = of.names.alarm;
  const late = Map.groupBy(of.actors, (id) => shardOf(id, of.shards));
  const delivering = Map.groupBy(of.deliverers, ({ key }) => shardOf(key, of.shards));
  const polling = Map.groupBy(of.pollers, ({ key }) => shardOf(key, of.shards));
  const used = new Set([...late.keys(), ...delivering.keys(), ...polling.keys()]);
  const sets = [...used]
    .sort((a, b) => a - b)
    .map((shard): [number, AlarmSet] => {
      const actors = (late.get(shard) ?? []).flatMap((id) => actorAlarms(of, id, of.routesTo(id)));
      const deliverers = (delivering.get(shard) ?? []).map(({ key }) => delivererAlarm(of, key));
      const pollers = (polling.get(shard) ?? []).map(({ functionName }) =>
        failingAlarm(of, functionName, { what: "polls", anchor: "poller-failing" }),
      );
      const ill = [...actors.filter(({ subject }) => subject.endsWith("-late")), ...deliverers];
      const tree = (subject: string, text: AlarmText, alarms: readonly MetricAlarm[]) =>
        alarms.length === 0
          ? []
          : alarmTree(
              { subject, text, children: alarms.map((one) => one.subject), wakes: false },
              nameOf,
            );
      return [
        shard,
        {
          metric: [...actors, ...deliverers, ...pollers],
          composite: [
            ...tree(`actors-ill-${shard}`, manyText(of), ill),
            ...tree(`pollers-failing-${shard}`, pollsText(of), pollers),
          ],
        },
      ];
    });
  return new Map(sets);
}

const delivererAlarm = (of: Alarmed, key: string): MetricAlarm =>
  failingAlarm(of, of.names.deliverer(key), {
    what: `delivers to ${key}`,
    anchor: "deliverer-failing",
  });

function stageAlarms(of: Alarmed, sets: readonly AlarmSet[], nameOf: NameOf): AlarmSet {
  const subjects = (alarms: readonly { readonly subject: string }[]) =>
    alarms.map(({ subject }) => subject);
  const platform = platformAlarms(of, of.concurrency);
  const router = routerAlarms(of);
  const history = historyAlarms(of);
  const receiver = of.receives ? receiverAlarms(of) : [];
  const sweeper = failingAlarm(of, of.names.sweeper, {
    what: "looks after sources, refused deliveries and inboxes",
    anchor: "sweeper-failing",
  });
  const ticks = [...tickAlarms(of, of.pollers), sweeper];
  const sources = of.pollers.length > 0 ? sourceAlarms(of) : [];
  const letters = letterAlarms(of);
  const failing = sets.flatMap(({ composite }) =>
    subjects(composite).filter((subject) => /^pollers-failing-\d+$/.test(subject)),
  );
  const cause = (
    subject: string,
    happened: string,
    children: readonly string[],
    unless?: string,
  ): readonly CompositeAlarm[] =>
    children.length === 0
      ? []
      : alarmTree(
          {
            ...{ subject, text: causeText(of, subject, happened), children, wakes: true },
            ...(unless !== undefined && { unless }),
          },
          nameOf,
        );
  return {
    metric: [...platform, ...router, ...history, ...receiver, ...ticks, ...sources, ...letters],
    composite: [
      ...cause("platform", "What everything stands on is short.", subjects(platform)),
      ...cause("router", "Events are not routed as they come.", subjects(router), "platform"),
      ...cause("history", "What happens is not recorded.", subjects(history), "platform"),
      ...cause("webhooks", "Webhooks are refused.", subjects(receiver), "platform"),
      ...cause("ticks", "What runs by schedule does not run.", subjects(ticks), "platform"),
      ...cause("letters", "Deliveries are given up.", subjects(letters), "platform"),
      ...pollsCause(of, [...subjects(sources), ...failing], nameOf),
    ],
  };
}

/** What nobody polls for want of ticks is no cause of its own. */
function pollsCause(
  of: Alarmed,
  children: readonly string[],
  nameOf: NameOf,
): readonly CompositeAlarm[] {
  if (children.length === 0) return [];
  const text = pollsText(of);
  const upstream: CompositeAlarm = {
    ...{ subject: "upstream-of-polls", text, wakes: false },
    rule: anyOf(["platform", "ticks"], nameOf),
  };
  const polls = { subject: "polls", text, children, wakes: true, unless: upstream.subject };
  return [upstream, ...alarmTree(polls, nameOf)];
}

/**
 * Many actors at once are one cause; with fewer than three stacks of them there is none such, and
 * each tells of itself.
 */
function manyAlarm(
  of: Alarmed,
  shards: readonly number[],
  nameOf: NameOf,
): readonly CompositeAlarm[] {
  const used = new Set([
    ...of.actors.map((id) => shardOf(id, of.shards)),
    ...of.deliverers.map(({ key }) => shardOf(key, of.shards)),
  ]);
  const ill = shards.filter((shard) => used.has(shard)).map((shard) => `actors-ill-${shard}`);
  if (ill.length < FEWEST_MANY) return [];
  const enough = Math.max(FEWEST_MANY, Math.ceil(0.3 * ill.length));
  const text = manyText(of);
  return [
    {
      ...{ subject: "actors-many", text, wakes: true, unless: "platform" },
      rule: `AT_LEAST(${enough}, ALARM, (${ill.map((one) => `"${nameOf(one)}"`).join(", ")}))`,
    },
    {
      ...{ subject: "upstream-of-actors", text, wakes: false },
      rule: anyOf(["actors-many", "platform"], nameOf),
    },
  ];
}

/** An actor's alarms lie in one group, for ever: that of its hash. */
function actorGroups(of: Alarmed, unless: string, nameOf: NameOf): readonly CompositeAlarm[] {
  const children = [
    ...of.actors.flatMap((id) =>
      actorAlarms(of, id, of.routesTo(id)).map(({ subject }) => [id, subject] as const),
    ),
    ...of.deliverers.map(({ key }) => [key, delivererAlarm(of, key).subject] as const),
  ];
  const groups = Map.groupBy(children, ([key]) => shardOf(`group of ${key}`, ACTOR_GROUPS));
  return [...groups]
    .sort(([left], [right]) => left - right)
    .flatMap(([group, members]) =>
      alarmTree(
        {
          subject: `actors-${group}`,
          text: causeText(
            of,
            "actors",
            `Ill: ${[...new Set(members.map(([key]) => key))].join(", ")}, or one of them.`,
          ),
          children: members.map(([, subject]) => subject),
          ...{ wakes: true, unless },
        },
        nameOf,
      ),
    );
}

const causeText = ({ workspace }: Alarmed, anchor: string, happened: string): AlarmText => ({
  anchor,
  happened: `${workspace}: ${happened}`,
  look: `the alarms that this one names, each says what to press; orgloop status -w ${workspace}.`,
  press: "what the named alarm says.",
});

const manyText = (of: Alarmed): AlarmText =>
  causeText(of, "actors-many", "Many actors are ill at once: look for what they share.");

const pollsText = (of: Alarmed): AlarmText =>
  causeText(of, "polls", "Sources are not polled, or fail.");
