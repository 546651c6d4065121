/** A metric as CloudWatch knows it. */
export interface AlarmMetric {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: "Maximum" | "Sum";
}

/** What whoever is woken reads: of what, where to look, what to press. */
export interface AlarmText {
  /** Its heading in `docs/aws/alarms.md`, as an anchor. */
  readonly anchor: string;
  readonly happened: string;
  readonly look: string;
  readonly press: string;
}

/** An alarm on metrics. It wakes nobody: the cause that it belongs to does. */
export interface MetricAlarm {
  /** Its name, after the stage's prefix. */
  readonly subject: string;
  readonly text: AlarmText;
  /** One, or those that the expression names. */
  readonly metrics: Readonly<Record<string, AlarmMetric>>;
  /** Of metric math; absent: the one metric itself. */
  readonly expression?: string;
  /** It goes off above this, or below it. */
  readonly threshold: number;
  readonly below?: boolean;
  /** Seconds. */
  readonly period: number;
  readonly periods: number;
  /** Of the periods, how many must be over the threshold. */
  readonly of: number;
  /** What silence means. */
  readonly silence: "health" | "illness";
  /**
   * Of the metrics, those of which any at all is an illness: what is left of a ratio where no
   * metric math is.
   */
  readonly plain?: readonly string[];
}

/** An alarm on alarms. */
export interface CompositeAlarm {
  readonly subject: string;
  readonly text: AlarmText;
  /** In CloudWatch's form; it names at most `MAX_CHILDREN` alarms. */
  readonly rule: string;
  /** Whether it is a cause: then its message is the one that somebody gets. */
  readonly wakes: boolean;
  /** While that one is on, its message is the one. */
  readonly unless?: string;
}

/** AWS takes 100 children, and 10,240 characters of a rule. */
export const MAX_CHILDREN = 80;

/** Where the runbook lies in the repository. */
export const RUNBOOK = "docs/aws/alarms.md";

/** As AWS takes it, at most 1,024 characters. */
export function alarmDescription({ happened, look, press, anchor }: AlarmText): string {
  return `${happened} Look at: ${look} Press: ${press} Runbook: ${RUNBOOK}#${anchor}`.slice(
    0,
    1024,
  );
}

/** True while any of the alarms is on. */
export const anyOf = (subjects: readonly string[], nameOf: (subject: string) => string): string =>
  subjects.map((subject) => `ALARM("${nameOf(subject)}")`).join(" OR ");
