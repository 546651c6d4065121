import fc from "fast-check";

const ids = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/).filter((id) => id !== "constructor");
const durations = fc
  .tuple(fc.integer({ min: 1, max: 50 }), fc.constantFrom("ms", "s", "m", "h", "d"))
  .map(([count, unit]) => `${count}${unit}`);
/** An open brace would be an error. */
const texts = fc.string().filter((text) => !/[{$]\{/.test(text));
const configs = fc.dictionary(ids, fc.oneof(texts, fc.integer(), fc.array(ids)), {
  noNullPrototype: true,
  maxKeys: 3,
});
const deliveries = fc.record(
  {
    max_rate: fc.constantFrom("5/s", "10/m", "1/h"),
    burst: fc.integer({ min: 1, max: 9 }),
    timeout: durations,
    order: fc.constantFrom("key", "route", "none"),
    retry: fc.record({ max_attempts: fc.integer({ min: 1, max: 9 }) }, { noNullPrototype: true }),
    circuit_breaker: fc.constantFrom(false, { cooldown: "5s" }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** A whole valid manifest, every item inline; it needs the file `p.md`. */
export const projects = fc
  .tuple(
    fc.uniqueArray(ids, { minLength: 1, maxLength: 3 }),
    fc.uniqueArray(ids, { minLength: 1, maxLength: 3 }),
    fc.uniqueArray(ids, { minLength: 1, maxLength: 4 }),
    fc.infiniteStream(fc.tuple(configs, deliveries, durations, fc.nat())),
  )
  .map(([sources, actors, routes, random]) => {
    const next = () => random.next().value as [object, object, string, number];
    const pick = (list: string[]) => list[next()[3] % list.length];
    return {
      apiVersion: "orgloop/v1alpha1",
      kind: "Project",
      metadata: { name: "generated" },
      defaults: { poll_interval: next()[2], delivery: next()[1] },
      sources: sources.map((id) => ({
        id,
        connector: "@orgloop/connector-x",
        config: next()[0],
        poll: { interval: next()[2] },
      })),
      actors: actors.map((id) => ({ id, connector: "@orgloop/connector-y", config: next()[0] })),
      transforms: [{ name: "t", type: "package", package: "@orgloop/transform-filter" }],
      routes: routes.map((name) => ({
        name,
        when: {
          source: [pick(sources)],
          events: ["resource.changed"],
          filter: { "payload.kind": [{ prefix: "a" }, 1] },
        },
        transforms: [{ ref: "t" }],
        then: { actor: pick(actors), config: next()[0], delivery: next()[1] },
        with: { prompt_file: "./p.md" },
      })),
    };
  });
