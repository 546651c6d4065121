import { messageOf } from "@orgloop/sdk";
import * as z from "zod";
import { parseSchedule } from "./schedule.ts";

const schedule = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .describe("Unique in the source; `provenance.platform_event` is `schedule.<name>`."),
    cron: z
      .string()
      .describe("`every 5m`, or five fields: minute, hour, day of month, month, day of week."),
    payload: z.record(z.string(), z.unknown()).default({}),
    timezone: z
      .string()
      .refine(isTimezone, "expected a time zone such as Europe/Berlin")
      .optional()
      .describe("IANA name, e.g. `Europe/Berlin`. Default: the machine's."),
    catch_up: z
      .enum(["last", "all"])
      .default("last")
      .describe(
        "What becomes of ticks that were missed while nothing ran: only the last one happens (default), or all, oldest first.",
      ),
  })
  .check((context) => {
    const { cron } = context.value;
    try {
      const { next } = parseSchedule(cron, undefined);
      // In four centuries every date that there is comes by.
      if (next(0) === undefined) throw new Error("it never ticks: there is no such day");
    } catch (error) {
      context.issues.push({
        code: "custom",
        input: cron,
        path: ["cron"],
        message: `expected "every 5m" or five fields such as "0 9 * * 1-5": ${messageOf(error)}`,
      });
    }
  });

/** `config` of a cron source (v1alpha1, section 7). */
export const cronSourceConfig = z.strictObject({
  schedules: z
    .array(schedule)
    .min(1)
    .check((context) => {
      const names = context.value.map(({ name }) => name);
      for (const [index, name] of names.entries()) {
        if (names.indexOf(name) === index) continue;
        context.issues.push({
          code: "custom",
          input: name,
          path: [index, "name"],
          message: `the name "${name}" is used twice`,
        });
      }
    }),
});
export type CronSourceConfig = z.output<typeof cronSourceConfig>;

function isTimezone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
}
