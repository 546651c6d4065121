import type { MetricAlarm } from "./alarm.ts";
import { type AlarmedStage, lambdaMetric } from "./item-alarms.ts";
import { newAlarm, ownMetric, PERIOD_S } from "./new-alarm.ts";

/** How often the sweeper looks, and how long its silence is waited for. */
const SWEEP_SILENCE_PERIODS = 3;
/** A day of periods: CloudWatch looks no further back. */
const MAX_PERIODS = 288;
/** Metrics of one expression of an alarm (AWS, alarm data queries). */
const MAX_METRICS = 10;

/** A poller function, and the shortest interval of its sources. */
export interface AlarmedPoller {
  readonly functionName: string;
  readonly intervalMs: number;
}

/** What runs by schedule and does not: Lambda counts the calls. */
export function tickAlarms(
  { names, workspace }: AlarmedStage,
  pollers: readonly AlarmedPoller[],
): readonly MetricAlarm[] {
  const look = `the schedule group ${names.scheduleGroup} and the roles of its schedules; orgloop doctor -w ${workspace}.`;
  const sweeper = newAlarm(
    "sweeper-silent",
    {
      anchor: "sweeper-silent",
      happened:
        "The sweeper has not run for 15 minutes: nobody knows which sources are not polled.",
      look,
      press: `orgloop deploy -w ${workspace} brings back what is missing.`,
    },
    {
      metrics: { calls: lambdaMetric("Invocations", names.sweeper) },
      ...{ threshold: 1, below: true, silence: "illness" },
      ...{ periods: SWEEP_SILENCE_PERIODS, of: SWEEP_SILENCE_PERIODS },
    },
  );
  // A kind of functions, not one of them: which source is late, the sweeper tells.
  const often = pollers
    .toSorted((left, right) => left.intervalMs - right.intervalMs)
    .slice(0, MAX_METRICS);
  const [first] = often;
  if (first === undefined) return [sweeper];
  // Sooner than the sweeper calls the first source stale: then it is one cause.
  const intervalS = first.intervalMs / 1000;
  const periods = Math.min(MAX_PERIODS, Math.ceil((3 * intervalS) / PERIOD_S) + 2);
  const ids = often.map((_, at) => `calls${at}`);
  const polls = newAlarm(
    "polls-silent",
    {
      anchor: "polls-silent",
      happened: "No poller was called for three intervals: schedules do not reach them.",
      look,
      press: `orgloop deploy -w ${workspace} brings back what is missing; polls go on from their checkpoints.`,
    },
    {
      metrics: Object.fromEntries(
        often.map(({ functionName }, at) => [
          `calls${at}`,
          lambdaMetric("Invocations", functionName),
        ]),
      ),
      ...(ids.length > 1 && {
        expression: ids.map((id) => `FILL(${id}, 0)`).join(" + "),
        plain: ["calls0"],
      }),
      ...{ threshold: 1, below: true, silence: "illness" as const, periods, of: periods },
    },
  );
  return [sweeper, polls];
}

/** What the sweeper finds: it is not who polls. */
export function sourceAlarms({ workspace }: AlarmedStage): readonly MetricAlarm[] {
  const look = `orgloop status -w ${workspace} names them (stale, degraded); orgloop logs -w ${workspace} --phase source.error.`;
  return [
    newAlarm(
      "sources-stale",
      {
        anchor: "sources-stale",
        happened: "A source was not polled for several of its intervals.",
        look,
        press: `orgloop deploy -w ${workspace} where its schedule or function is gone; it goes on from its checkpoint.`,
      },
      {
        metrics: { stale: ownMetric(workspace, "sourcesStale", "Maximum") },
        threshold: 0,
        periods: 3,
        of: 3,
      },
    ),
    newAlarm(
      "sources-failing",
      {
        anchor: "sources-failing",
        happened: "More than 5 of 100 sources fail whenever they are polled.",
        look,
        press:
          "mend what the log names (a secret, an address, a limit); polls go on from their checkpoints.",
      },
      {
        metrics: {
          failing: ownMetric(workspace, "sourcesFailing", "Maximum"),
          watched: ownMetric(workspace, "sourcesWatched", "Maximum"),
        },
        expression: "failing / watched",
        plain: ["failing"],
        ...{ threshold: 0.05, periods: 3, of: 3 },
      },
    ),
  ];
}
