/**
 * Whether the rule of an alarm on alarms holds: `ALARM("name")`, AND, OR, NOT, parentheses and
 * `AT_LEAST(n, ALARM, ("name", …))` (AWS, PutCompositeAlarm).
 */
export function alarmRule(rule: string, isOn: (name: string) => boolean): boolean {
  const tokens = rule.match(/"[^"]*"|\w+|[(),]/g) ?? [];
  let at = 0;
  const next = () => tokens[at++] ?? "";
  const name = () => next().slice(1, -1);
  const skip = (...wanted: readonly string[]) => {
    for (const one of wanted) {
      const found = next();
      if (found !== one) throw new Error(`${rule}: ${one} expected, not ${found}`);
    }
  };

  function either(): boolean {
    let holds = both();
    while (tokens[at] === "OR") {
      at += 1;
      holds = both() || holds;
    }
    return holds;
  }
  function both(): boolean {
    let holds = one();
    while (tokens[at] === "AND") {
      at += 1;
      holds = one() && holds;
    }
    return holds;
  }
  function one(): boolean {
    const token = next();
    if (token === "NOT") return !one();
    if (token === "(") {
      const holds = either();
      skip(")");
      return holds;
    }
    if (token === "ALARM") {
      skip("(");
      const holds = isOn(name());
      skip(")");
      return holds;
    }
    if (token !== "AT_LEAST") throw new Error(`${rule}: ${token}`);
    skip("(");
    const wanted = Number(next());
    skip(",", "ALARM", ",", "(");
    let count = 0;
    do count += isOn(name()) ? 1 : 0;
    while (next() === ",");
    skip(")");
    return count >= wanted;
  }

  const holds = either();
  if (at < tokens.length) throw new Error(`${rule}: ${tokens[at]} is too much`);
  return holds;
}

/** The alarms that a rule names. */
export const namedIn = (rule: string): readonly string[] => [
  ...new Set([...rule.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name)),
];
