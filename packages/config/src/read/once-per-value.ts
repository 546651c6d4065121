/**
 * `compute`, called once for each value of JSON: thousands of routes ask for the same few policies.
 */
export function oncePerValue<Value, Result>(
  compute: (value: Value) => Result,
): (value: Value) => Result {
  const known = new Map<string, Result>();
  return (value) => {
    const key = JSON.stringify(value);
    let result = known.get(key);
    if (result === undefined) {
      result = compute(value);
      known.set(key, result);
    }
    return result;
  };
}
