import fc from "fast-check";

/** One thing that happens to a log. Indexes pick among what there is, by remainder. */
export type Step =
  | {
      readonly do: "publish";
      readonly count: number;
      readonly size: number;
      readonly source: number;
    }
  | { readonly do: "publishAgain" | "ack"; readonly pick: number }
  | { readonly do: "settle"; readonly pick: number; readonly route: number }
  | { readonly do: "quiet" | "hour" | "free" | "close" | "kill" | "second" }
  | { readonly do: "ticks"; readonly count: number }
  | { readonly do: "full"; readonly room: number }
  | { readonly do: "failWrite"; readonly code: "ENOSPC" | "EIO"; readonly written: number }
  | { readonly do: "failSync" | "failRename" | "failDirectorySync"; readonly after: number }
  | { readonly do: "crash"; readonly after: number };

const small = fc.nat({ max: 1_000 });
const step = <D extends Step["do"]>(name: D) =>
  fc.constant({ do: name } as Extract<Step, { do: D }>);

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        do: fc.constant("publish" as const),
        count: fc.integer({ min: 1, max: 6 }),
        size: fc.oneof(fc.nat({ max: 60 }), fc.nat({ max: 1_500 })),
        source: fc.nat({ max: 2 }),
      }),
    },
    { weight: 10, arbitrary: fc.record({ do: fc.constant("ack" as const), pick: small }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("settle" as const),
        pick: small,
        route: fc.nat({ max: 2 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("publishAgain" as const), pick: small }) },
    { weight: 6, arbitrary: step("quiet") },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant("ticks" as const), count: fc.nat({ max: 40 }) }),
    },
    { weight: 1, arbitrary: step("hour") },
    { weight: 1, arbitrary: step("second") },
    { weight: 1, arbitrary: step("close") },
    { weight: 2, arbitrary: step("kill") },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("full" as const), room: fc.nat({ max: 900 }) }),
    },
    { weight: 2, arbitrary: step("free") },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("failWrite" as const),
        code: fc.constantFrom("ENOSPC" as const, "EIO" as const),
        written: fc.nat({ max: 700 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constantFrom(
          "failSync" as const,
          "failRename" as const,
          "failDirectorySync" as const,
        ),
        after: fc.nat({ max: 3 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant("crash" as const), after: fc.nat({ max: 60 }) }),
    },
  ),
  { minLength: 1, maxLength: 40 },
);
