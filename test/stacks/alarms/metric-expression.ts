/** Values of a period by the ids of their metrics; undefined: nobody wrote one. */
export type Values = (id: string) => number | undefined;

/**
 * Metric math as alarms of ours use it: numbers, ids, `FILL(id, 0)`, the four operations and
 * parentheses (AWS, Using math expressions with CloudWatch metrics). Undefined where a value is
 * missing, or nothing is divided by nothing.
 */
export function metricExpression(text: string, values: Values): number | undefined {
  const tokens = text.match(/\d+(?:\.\d+)?|[A-Za-z]\w*|[-+*/(),]/g) ?? [];
  let at = 0;
  const take = (wanted: string) => {
    if (tokens[at] !== wanted) throw new Error(`${text}: ${wanted} expected at ${tokens[at]}`);
    at += 1;
  };
  const of = (
    left: number | undefined,
    right: number | undefined,
    calculate: (left: number, right: number) => number,
  ) => (left === undefined || right === undefined ? undefined : calculate(left, right));

  function sum(): number | undefined {
    let left = product();
    while (tokens[at] === "+" || tokens[at] === "-") {
      const sign = tokens[at++] === "+" ? 1 : -1;
      left = of(left, product(), (a, b) => a + sign * b);
    }
    return left;
  }
  function product(): number | undefined {
    let left = term();
    while (tokens[at] === "*" || tokens[at] === "/") {
      const isTimes = tokens[at++] === "*";
      left = of(left, term(), (a, b) => (isTimes ? a * b : a / b));
    }
    return left;
  }
  function term(): number | undefined {
    const token = tokens[at++] ?? "";
    if (token === "(") {
      const inner = sum();
      take(")");
      return inner;
    }
    if (token === "FILL") {
      take("(");
      const filled = sum();
      take(",");
      const instead = sum();
      take(")");
      return filled ?? instead;
    }
    return /^\d/.test(token) ? Number(token) : values(token);
  }

  const result = sum();
  if (at < tokens.length) throw new Error(`${text}: ${tokens[at]} is too much`);
  return Number.isFinite(result) ? result : undefined;
}
