import { type AlarmText, anyOf, type CompositeAlarm, MAX_CHILDREN } from "./alarm.ts";

export interface AlarmTree {
  /** The alarm at its top. */
  readonly subject: string;
  readonly text: AlarmText;
  readonly children: readonly string[];
  readonly wakes: boolean;
  readonly unless?: string;
}

/**
 * An alarm that is on while any of its children is, however many they are: above `MAX_CHILDREN`
 * there are alarms in between. The top comes last, as they have to be created.
 */
export function alarmTree(
  { subject, text, children, wakes, unless }: AlarmTree,
  nameOf: (subject: string) => string,
): readonly CompositeAlarm[] {
  const made: CompositeAlarm[] = [];
  let level = children;
  for (let depth = 0; level.length > MAX_CHILDREN; depth++) {
    const parts = Array.from({ length: Math.ceil(level.length / MAX_CHILDREN) }, (_, at) =>
      level.slice(at * MAX_CHILDREN, (at + 1) * MAX_CHILDREN),
    );
    const inner = parts.map((part, at) => ({
      subject: `${subject}-${depth}-${at}`,
      text,
      rule: anyOf(part, nameOf),
      wakes: false,
    }));
    made.push(...inner);
    level = inner.map((one) => one.subject);
  }
  const top = { subject, text, rule: anyOf(level, nameOf), wakes };
  return [...made, { ...top, ...(unless !== undefined && { unless }) }];
}
