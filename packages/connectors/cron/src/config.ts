import { messageOf } from "@orgloop/sdk";
import * as z from "zod";
import { parseSchedule } from "./schedule.ts";

const schedule = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .meta({
        description: "Unique in the source; `provenance.platform_event` is `schedule.<name>`.",
        examples: ["weekdays"],
      }),
    cron: z.string().meta({
      description: "`every 5m`, or five fields: minute, hour, day of month, month, day of week.",
      examples: ["0 9 * * 1-5", "every 5m"],
    }),
    payload: z
      .record(z.string(), z.unknown())
      .default({})
      .meta({ description: "The payload of its events.", examples: [{ digest: "daily" }] }),
    timezone: z
      .string()
      .refine(isTimezone, "expected a time zone such as Europe/Berlin")
      .optional()
      .meta({
        description: "The IANA name of a time zone. Default: the machine's.",
        examples: ["Europe/Berlin"],
      }),
    catch_up: z
      .enum(["last", "all"])
      .default("last")
      .meta({
        description:
          "What becomes of ticks that were missed while nothing ran: only the last one happens, or all, oldest first.",
        examples: ["all"],
      }),
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
export const cronSourceConfig = z
  .strictObject({
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
      })
      .meta({
        description: "When its events come, one entry a schedule.",
        examples: [[{ name: "weekdays", cron: "0 9 * * 1-5" }]],
      }),
  })
  .meta({
    title: "Cron source",
    description: "Emits an event at the times of its schedules.",
    examples: [
      { schedules: [{ name: "weekdays", cron: "0 9 * * 1-5", timezone: "Europe/Berlin" }] },
    ],
  });
export type CronSourceConfig = z.output<typeof cronSourceConfig>;

function isTimezone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
}
